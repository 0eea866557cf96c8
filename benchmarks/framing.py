"""Does a verdict hang on how tightly a face was cut?

    python -m benchmarks.framing --model standard --data ffpp=FFPP:pair --media PHOTOS

The same faces are cut at 1.0 to 2.0 times their box. Photographs and clips have room for that.
Most images of the sets were cut closely before; of these there are two rows: as they are served,
where the square ends at the picture's border, and widened by their mirror image, which is made
up.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from benchmarks.common import markdown_table, write_page
from benchmarks.faces import Found, Pixels, find_in_media, find_largest, read_sets, score_cuts
from numpy.typing import NDArray

from mesonet.checking import Scale
from mesonet.detector import Detector
from mesonet.evaluation.benchmark.prediction_cache import default_cache
from mesonet.evaluation.metrics import auc
from mesonet.faces import Face, crop_face

SCALES = (1.0, 1.15, 1.3, 1.5, 1.75, 2.0)
TEXT = """
# The same face in other framings

Each face is cut at {scales} times its box. It counts as turned where one of these cuts is sure to
be real and another sure to be manipulated: by words no evidence against some or strong evidence,
by labels `real` against `deepfake`, both outside of what is uncertain. False alarms are real
faces with strong evidence, or with some or strong evidence, at each scale.

Most images of the sets end close around the face. "Served" cuts them as `mesonet check` does,
where the square shrinks to the picture; "widened" goes on by their mirror image, as in training.
"""


def main() -> None:
    """Score every face at every scale, count, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append")
    parser.add_argument("--data", action="append", default=[], metavar="NAME=DIR[:GROUPS]")
    parser.add_argument("--part", metavar="FILE:PART")
    parser.add_argument("--media", action="append", default=[], type=Path, metavar="DIR")
    parser.add_argument("--count", type=int, default=20, help="images of each class and set")
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks/framing.md"))
    options = parser.parse_args()
    sets = read_sets(options.data, options.part)
    named = {data.name: list(find_largest(data, options.count)) for data in sets}
    media = {folder.name: find_in_media(folder) for folder in options.media}
    images = [face for faces in named.values() for face in faces]
    parts = []
    for source in options.model or [Detector.default]:
        detector = Detector.load(source)
        served = {f"{scale}": at(scale) for scale in SCALES}
        widened = {f"{scale}": at(scale, widened=True) for scale in SCALES}
        rows = []
        for way, cuts in (("served", served), ("widened", widened)):
            scores = score_cuts(detector, images, cuts, options.cache)
            rows += count_sets(detector, images, scores, way)
        for name, faces in media.items():
            scores = score_cuts(detector, faces, served, options.cache)
            rows.append(count(detector, faces, scores, name))
        parts += [f"## {detector.name}", format_rows(rows)]
    write_page(options.output, TEXT.format(scales=", ".join(map(str, SCALES))), *parts)


def at(scale: float, *, widened: bool = False) -> Callable[[Pixels, Face], Pixels]:
    """Cuts a face at a scale; widened: as if the picture went on as its mirror image."""

    def cut(image: Pixels, face: Face) -> Pixels:
        if not widened:
            return crop_face(image, face, scale)
        left, top, width, height = face.box
        margin = min(round(max(width, height)), *(side - 1 for side in image.shape[:2]))
        wide = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), "reflect")
        box = (left + margin, top + margin, width, height)
        return crop_face(wide, Face(box, face.score), scale)

    return cut


def count_sets(
    detector: Detector, faces: list[Found], scores: NDArray[np.float64], way: str
) -> list[dict[str, object]]:
    """A row for each set and one for all."""
    names = list(dict.fromkeys(face.set for face in faces))
    rows = []
    for name in [*names, None] if names else []:
        rows_of_set = [i for i, face in enumerate(faces) if name in (face.set, None)]
        chosen = [faces[i] for i in rows_of_set]
        rows.append(count(detector, chosen, scores[rows_of_set], f"{name or 'all sets'}, {way}"))
    return rows


def count(
    detector: Detector, faces: list[Found], scores: NDArray[np.float64], title: str
) -> dict[str, object]:
    """Turned verdicts and false alarms of scores of shape ``(faces, scales)``."""
    scale = Scale.of(detector.info)
    low, high = detector.info.band or (detector.info.threshold, detector.info.threshold)
    strong = 1.0 if scale.strong is None else scale.strong
    fake = np.array([face.fake for face in faces])
    least, most = scores.min(axis=1), scores.max(axis=1)
    real = scores[~fake]

    def turned(below: float, above: float) -> float:
        return float(((least < below) & (most >= above)).mean())

    return {
        "faces": title,
        "real, manipulated": f"{(~fake).sum()}, {fake.sum()}",
        "turned by words": turned(scale.uncertain, scale.some),
        "by labels": turned(low, high),
        "strong evidence": _in_a_row((real >= strong).mean(axis=0)),
        "some or strong": _in_a_row((real >= scale.some).mean(axis=0)),
        "AUC": _in_a_row([auc(fake, column) for column in scores.T])
        if 0 < fake.sum() < len(fake) and fake.sum() > 5
        else None,
    }


def format_rows(rows: list[dict[str, object]]) -> str:
    """The table; its last columns have a number for each scale."""
    return markdown_table(list(rows[0]), [list(row.values()) for row in rows])


def _in_a_row(values: NDArray[np.float64] | list[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
