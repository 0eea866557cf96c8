"""The face of each image: found once, kept as CSV.

    python -m recipes.detector.boxes DATA BOXES.csv

Framing and blending need to know where the face is.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from mesonet.faces import Box, CenterFace, Face
from mesonet.files import read_table
from mesonet.images.reading import read_image
from recipes.detector.sets import samples

LONG_SIDE = 256
THRESHOLD = 0.3


def main_face(faces: list[Face]) -> Face | None:
    """The face that an image is about: the largest, where sure ones count for more."""
    return max(faces, key=lambda face: face.score * face.box[2] * face.box[3], default=None)


def read_boxes(path: Path) -> dict[str, Box | None]:
    """Read what `main` wrote: left, top, width and height in pixels, by file."""
    rows = read_table(path, ["left", "top", "width", "height"])
    return {
        name: (float(values[0]), float(values[1]), float(values[2]), float(values[3]))
        if values[0]
        else None
        for name, values in rows.items()
    }


def main() -> None:
    """Find the face of each image of all sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("boxes", type=Path)
    arguments = parser.parse_args()
    find = CenterFace(long_side=LONG_SIDE, threshold=THRESHOLD).find
    with arguments.boxes.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["file", "left", "top", "width", "height"])
        for number, sample in enumerate(samples(arguments.data), start=1):
            face = main_face(find(np.asarray(read_image(arguments.data / sample.file))))
            box = ["", "", "", ""] if face is None else [f"{value:.1f}" for value in face.box]
            rows.writerow([sample.file, *box])
            if number % 1000 == 0:
                print(f"{number} images")


if __name__ == "__main__":
    main()
