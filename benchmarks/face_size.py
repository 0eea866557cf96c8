"""How small may a face be for its verdict to hold?

    python -m benchmarks.face_size --data ffpp=FFPP:pair --part SPLIT.csv:validation

Faces are scaled down until the longer side of their box has so many pixels, some are compressed
like a photograph of that size, and served: the detector blows them up again.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from benchmarks.common import markdown_table, write_page
from benchmarks.faces import Cut, Found, Pixels, find_largest, read_sets, score_cuts
from numpy.typing import NDArray

from mesonet.checking import Scale
from mesonet.detector import Detector
from mesonet.evaluation.benchmark.prediction_cache import default_cache
from mesonet.evaluation.metrics import auc
from mesonet.faces import Face, crop_face
from mesonet.images.perturbations import jpeg, resize

SIZES = (32, 48, 64, 96, 128, 160, 200)
QUALITY = 85
TEXT = f"""
# Small faces

Faces of the sets, scaled down until the longer side of their box has so many pixels, without
("pixels") and with JPEG of quality {QUALITY} afterwards, as in a photograph. Shares are means
over the sets, every class of every set counting the same; AUC is the mean over the sets. Faces
that were smaller before are left out of a row.
"""


def main() -> None:
    """Score every face at every size, count, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append")
    parser.add_argument("--data", action="append", required=True, metavar="NAME=DIR[:GROUPS]")
    parser.add_argument("--part", metavar="FILE:PART")
    parser.add_argument("--count", type=int, default=40, help="images of each class and set")
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks/face_size.md"))
    options = parser.parse_args()
    found = [
        face
        for data in read_sets(options.data, options.part)
        for face in find_largest(data, options.count)
    ]
    cuts: dict[str, Cut] = {"as it is": crop_face}
    cuts |= {f"{size}": shrunk(size) for size in SIZES}
    cuts |= {f"{size}, JPEG": shrunk(size, QUALITY) for size in SIZES}
    parts = []
    for source in options.model or [Detector.default]:
        detector = Detector.load(source)
        scores = score_cuts(detector, found, cuts, options.cache)
        rows = [
            count(Scale.of(detector.info), found, column, name)
            for name, column in zip(cuts, scores.T, strict=True)
        ]
        parts += [
            f"## {detector.name}",
            markdown_table(list(rows[0]), [list(row.values()) for row in rows]),
        ]
    write_page(options.output, TEXT, *parts)


def shrunk(size: int, quality: int | None = None) -> Callable[[Pixels, Face], Pixels | None]:
    """Cuts a face, scaled down to a size; None of smaller ones."""

    def cut(image: Pixels, face: Face) -> Pixels | None:
        factor = size / max(face.box[2:])
        if factor > 1:
            return None
        small = resize(crop_face(image, face), factor, "bicubic")
        return small if quality is None else jpeg(small, quality)

    return cut


def count(
    scale: Scale, found: list[Found], scores: NDArray[np.float64], title: str
) -> dict[str, object]:
    """Shares of the words, and AUC, of scores of shape ``(faces,)``; NaN is left out."""
    strong = 1.0 if scale.strong is None else scale.strong
    real_strong, real_some, fake_strong, aucs = [], [], [], []
    kept = np.isfinite(scores)
    fakes = np.array([face.fake for face in found])
    sets = np.array([face.set for face in found])
    for name in dict.fromkeys(sets.tolist()):
        rows = kept & (sets == name)
        fake, score = fakes[rows], scores[rows]
        if fake.all() or not fake.any():
            continue
        real_strong.append((score[~fake] >= strong).mean())
        real_some.append((score[~fake] >= scale.some).mean())
        fake_strong.append((score[fake] >= strong).mean())
        aucs.append(auc(fake, score))
    return {
        "pixels": title,
        "real, manipulated": f"{(kept & ~fakes).sum()}, {(kept & fakes).sum()}",
        "real: strong evidence": float(np.mean(real_strong)),
        "real: some or strong": float(np.mean(real_some)),
        "manipulated: strong evidence": float(np.mean(fake_strong)),
        "AUC": float(np.mean(aucs)),
    }


if __name__ == "__main__":
    main()
