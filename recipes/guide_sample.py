"""Make the sample of docs/transfer-learning.md: faces and forgeries that nobody owns.

    python recipes/guide_sample.py faces

All of it comes from one photograph, of Eileen Collins by NASA, in the public domain, which comes
with scikit-image. A "person" is her face tilted, stretched and recoloured before another part of
the photograph. There are several frames of each person, ``real/<person>_<frame>.jpg``, and of
every frame a forgery of the same name under ``df/``. ``faces.png`` beside the folder shows some.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage.data import astronaut

from mesonet.demo.forgeries import FORGERIES
from mesonet.preprocessing import Pixels

SIDE = 160
FACE = (222, 112)  # x and y in the photograph
SHOWN = 6


def make_sample(folder: Path, people: int = 40, frames: int = 4) -> None:
    """Write the two class folders and the picture of some of their images."""
    photograph = astronaut()
    forgers = list(FORGERIES.values())
    for number in range(people):
        rng = np.random.default_rng(number)
        person = make_person(photograph, rng)
        for frame in range(frames):
            real = make_frame(person, rng)
            forger = forgers[int(rng.integers(len(forgers)))]
            for name, picture in (("real", real), ("df", forger(real))):
                path = folder / name / f"person{number:02}_{frame}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(picture).save(path, quality=92)
    show(folder).save(folder.with_suffix(".png"))


def make_person(photograph: Pixels, rng: np.random.Generator) -> Pixels:
    """Another face and another background, larger than a frame by a tenth."""
    side = SIDE * 11 // 10
    matrix = cv2.getRotationMatrix2D(FACE, rng.uniform(-15, 15), 1)
    matrix[:, :2] = np.diag(rng.uniform(0.85, 1.2, 2)) @ matrix[:, :2]
    matrix[:, 2] = side / 2 - matrix[:, :2] @ FACE
    face = cv2.warpAffine(photograph, matrix, (side, side), borderMode=cv2.BORDER_REFLECT)
    top, left = rng.integers(0, len(photograph) - side, 2)
    background = np.rot90(photograph[top : top + side, left : left + side], int(rng.integers(4)))
    mask = np.zeros((side, side), np.float32)
    axes = (round(0.32 * side), round(0.44 * side))
    cv2.ellipse(mask, (side // 2, side // 2), axes, 0, 0, 360, 1, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.02 * side)[..., None]
    picture = (mask * face + (1 - mask) * background) * rng.uniform(0.7, 1.15, 3)
    mirrored = picture[:, :: rng.choice((1, -1))]
    return np.asarray(np.clip(mirrored, 0, 255), np.uint8)


def make_frame(person: Pixels, rng: np.random.Generator) -> Pixels:
    """A frame: the camera shakes, light and noise change."""
    top, left = rng.integers(0, len(person) - SIDE, 2)
    frame = person[top : top + SIDE, left : left + SIDE] * rng.uniform(0.92, 1.05)
    noisy = frame + rng.normal(0, 2, frame.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def show(folder: Path) -> Image.Image:
    """Real frames above, their forgeries below."""
    names = [f"person{number:02}_0.jpg" for number in range(SHOWN)]
    rows = [
        np.hstack([np.asarray(Image.open(folder / row / name)) for name in names])
        for row in ("real", "df")
    ]
    return Image.fromarray(np.vstack(rows)).reduce(2)


def main() -> None:
    """Make the sample."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--frames", type=int, default=4)
    arguments = parser.parse_args()
    make_sample(arguments.folder, arguments.people, arguments.frames)


if __name__ == "__main__":
    main()
