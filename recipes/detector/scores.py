"""Raw scores of a detector on a part of the sets, kept as CSV beside the recipe.

    python -m recipes.detector.scores MODEL SCORES.csv --data DATA --part validation

Later work can be compared with them without the networks.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from mesonet.detector import Detector
from recipes.detector.sets import GROUPING, PARTS, Sample, samples


def choose(found: list[Sample], part: str, limit: int | None) -> list[Sample]:
    """Images of a part, at most so many of each class and set, drawn by a fixed seed."""
    rng = np.random.default_rng(1)
    chosen = []
    for name in GROUPING:
        for fake in (False, True):
            those = [s for s in found if (s.set, s.fake, s.part) == (name, fake, part)]
            order = rng.permutation(len(those))[:limit]
            chosen += [those[i] for i in sorted(order)]
    return chosen


def main() -> None:
    """Score images as they are, without finding faces, and write the scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("scores", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", choices=PARTS, required=True)
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    chosen = choose(samples(arguments.data), arguments.part, arguments.limit)
    detector = Detector.load(arguments.model)
    verdicts = detector.predict(arguments.data / sample.file for sample in chosen)
    arguments.scores.parent.mkdir(parents=True, exist_ok=True)
    with arguments.scores.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["file", "group", "raw_score"])
        for number, (sample, verdict) in enumerate(zip(chosen, verdicts, strict=True), start=1):
            if verdict.ok:
                rows.writerow([sample.file, sample.group, f"{verdict.raw_score:.6f}"])
            if number % 200 == 0:
                print(f"{number} of {len(chosen)} images", flush=True)


if __name__ == "__main__":
    main()
