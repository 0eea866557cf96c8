"""Wrong sure verdicts, before and after fragile ones are called uncertain.

    python -m benchmarks.fragility --data ciplab=CIPLAB:CIPLAB/groups.csv --data ffpp=FFPP:pair

Faces are found, cut, scored and given words as ``mesonet check`` does it: by the limits of the
words, and uncertain where a face is too small to be accused. Those that cannot be judged are left
out. With ``--part FILE:PART`` only images take part that a table (columns ``file``, as
``NAME/real/1.jpg``, and ``part``) gives to that part, such as the validation part of a training.
Scores are kept in ``--cache``: a second run counts.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.common import own_command
from benchmarks.faces import Found, find_largest, read_sets, score_cuts
from numpy.typing import NDArray

from mesonet.checking.people import make_person, tested_person
from mesonet.checking.record import Person, SeenFace
from mesonet.checking.scale import Scale
from mesonet.detector import Detector
from mesonet.evaluation.benchmark.comparison import ROUNDS, interval
from mesonet.evaluation.benchmark.prediction_cache import default_cache
from mesonet.evaluation.metrics import draw_groups
from mesonet.faces import crop_face, measure_quality
from mesonet.fragility import CHANGES, LIMIT

Floats = NDArray[np.float64]


def main() -> None:
    """Score, count, and write the page's part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=Detector.default)
    parser.add_argument("--data", action="append", required=True, metavar="NAME=DIR[:GROUPS]")
    parser.add_argument("--part", metavar="FILE:PART")
    parser.add_argument("--count", type=int, default=60, help="images of each class and set")
    parser.add_argument("--seed", type=int, default=0, help="another one draws other images")
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks/fragility.json"))
    options = parser.parse_args()
    detector = Detector.load(options.model)
    found = [
        face
        for data in read_sets(options.data, options.part)
        for face in find_largest(data, options.count, options.seed)
        if not measure_quality(face.image, face.face).flaw
    ]
    scores = score_cuts(detector, found, {"served": crop_face, **CHANGES}, options.cache)
    sets = {}
    for name in [*dict.fromkeys(face.set for face in found), None]:
        rows = [i for i, face in enumerate(found) if name in (face.set, None)]
        sets[name or "all"] = count_verdicts([found[i] for i in rows], scores[rows], detector)
    result = {
        "command": own_command(),
        "model": detector.name,
        "changes": list(CHANGES),
        "limit": LIMIT,
        "sets": sets,
    }
    options.output.write_text(json.dumps(result, indent=1) + "\n")
    print(format_table(sets))


def count_verdicts(faces: list[Found], scores: Floats, detector: Detector) -> dict[str, Any]:
    """Compare sure verdicts before and after; intervals are over groups.

    Args:
        faces: what was scored.
        scores: of each face as it is served and under each change, shape ``(faces, 1 + changes)``.
        detector: gave the scores.
    """
    scale = Scale.of(detector.info)
    is_fake = np.array([face.fake for face in faces])
    before = [_judge(face, own, scale) for face, own in zip(faces, scores[:, 0], strict=True)]
    after = [
        tested_person(person, changed, scale)
        for person, changed in zip(before, scores[:, 1:].tolist(), strict=True)
    ]
    accused = scores[:, 0] >= scale.some
    wrong = accused != is_fake
    open_before, open_after = (
        np.array([person.verdict == "uncertain" for person in people]) for people in (before, after)
    )
    flags = np.stack([~open_before & wrong, ~open_after & wrong, open_before, open_after], axis=1)
    _, group_of_face = np.unique([face.group for face in faces], return_inverse=True)
    draws = draw_groups(is_fake, group_of_face, rounds=ROUNDS)[:, group_of_face].astype(float)
    drawn = _shares(draws @ flags / draws.sum(axis=1, keepdims=True))
    values = _shares(flags.mean(axis=0)[None])
    figures = {name: interval(float(values[name][0]), drawn[name]) for name in values}
    return {"faces": len(faces), "groups": int(group_of_face.max()) + 1} | figures


def _judge(found: Found, score: float, scale: Scale) -> Person:
    quality = measure_quality(found.image, found.face)
    face = SeenFace(0, None, found.face.box, found.face.landmarks, quality, score, None)
    return make_person(1, [face], scale, clip=False)


def _shares(shares: Floats) -> dict[str, Floats]:
    wrong_before, wrong_after, open_before, open_after = shares.T
    with np.errstate(divide="ignore", invalid="ignore"):
        less_wrong = 1 - wrong_after / wrong_before
    return {
        "wrong_before": wrong_before,
        "wrong_after": wrong_after,
        "less_wrong": less_wrong,
        "uncertain_before": open_before,
        "uncertain_after": open_after,
        "more_uncertain": open_after - open_before,
    }


def format_table(sets: dict[str, dict[str, Any]]) -> str:
    """The figures in Markdown, in percent of all faces but for the relative fall."""
    names = list(_shares(np.zeros((1, 4))))
    lines = ["| set | faces | " + " | ".join(name.replace("_", " ") for name in names) + " |"]
    lines.append("| --- " * (len(names) + 2) + "|")
    for title, figures in sets.items():
        cells = [_percent(figures[name]) for name in names]
        lines.append(f"| {title} | {figures['faces']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _percent(figure: dict[str, float | None]) -> str:
    value, low, high = (figure[key] for key in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return "-"
    return f"{100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f})"


if __name__ == "__main__":
    main()
