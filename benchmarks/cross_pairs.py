"""Real faces of one source against forgeries of another, from stored scores.

    python -m benchmarks.cross_pairs standard=recipes/detector/scores/standard-test.csv

Within a set both classes share cameras and compression. Across sets a detector that tells by
these fails.
"""

import argparse
from pathlib import Path

import numpy as np
from benchmarks.common import markdown_table, write_page
from recipes.detector.release import read_scores
from recipes.detector.sets import Sample

from mesonet.checking import Scale
from mesonet.detector import Detector
from mesonet.evaluation.metrics import auc

TEXT = """
# Real faces of one source against forgeries of another

Image AUC on the test part, by source: rows are real faces, columns forgeries; bold where both
come from one set. The last columns say which share of these real faces is given strong evidence,
and some or strong evidence.
"""


def main() -> None:
    """Read the scores, and write a matrix for each detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scores", nargs="+", metavar="MODEL=SCORES.csv")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks/cross_pairs.md"))
    options = parser.parse_args()
    parts = []
    for text in options.scores:
        model, _, path = text.partition("=")
        detector = Detector.load(model)
        files, groups, fake, raw = read_scores(Path(path))
        found = [Sample(file, group, "") for file, group in zip(files, groups, strict=True)]
        parts += [f"## {detector.name}", *matrix(detector, found, fake, raw)]
    write_page(options.output, TEXT, *parts)


def matrix(
    detector: Detector, found: list[Sample], fake: np.ndarray, raw: np.ndarray
) -> tuple[str, str]:
    """The table, and the worst of its pairs and their mean in a sentence."""
    scale = Scale.of(detector.info)
    scores = detector.info.calibrated(raw)
    strong = 1.0 if scale.strong is None else scale.strong
    source = np.array([s.source for s in found])
    set_of = {s.source: s.set for s in found}
    reals, fakes = (list(dict.fromkeys(source[kind].tolist())) for kind in (~fake, fake))
    pairs: list[tuple[float, str]] = []
    rows: list[list[object]] = []
    for real in reals:
        these = scores[~fake & (source == real)]
        row: list[object] = [f"{real} ({len(these)})"]
        for forged in fakes:
            those = scores[fake & (source == forged)]
            truth = np.repeat([False, True], [len(these), len(those)])
            value = auc(truth, np.concatenate([these, those]))
            pairs.append((value, f"{real} against {forged}"))
            row.append(f"**{value:.3f}**" if set_of[real] == set_of[forged] else value)
        rows.append([*row, float((these >= strong).mean()), float((these >= scale.some).mean())])
    titles = [f"{forged} ({(fake & (source == forged)).sum()})" for forged in fakes]
    table = markdown_table(["real", *titles, "strong evidence", "some or strong"], rows)
    mean, (worst, names) = float(np.mean([value for value, _ in pairs])), min(pairs)
    return table, f"Mean of all pairs {mean:.3f}; worst pair {names}, {worst:.3f}."


if __name__ == "__main__":
    main()
