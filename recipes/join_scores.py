r"""Say what the first two networks of a detector would say together, from scores that they left.

    python recipes/join_scores.py joined/scores-ffpp.csv \
        blended/without-ffpp/scores-ffpp.csv whole/without-ffpp/scores-ffpp.csv

They have the shares that they have in `join.py`, which wants networks for images of one size.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from join import FIRST, SECOND

from mesonet.model_info import logit


def main() -> None:
    """Read the scores of two networks and write their mean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("first", type=Path, help="scores as fine_tune.py writes them")
    parser.add_argument("second", type=Path)
    arguments = parser.parse_args()
    tables = []
    for path in (arguments.first, arguments.second):
        with path.open(newline="") as lines:
            tables.append({row["file"]: row for row in csv.DictReader(lines)})
    if tables[0].keys() != tables[1].keys():
        parser.error("the files are not about the same images")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with arguments.output.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("file", "fake", "fake_probability", "threshold"))
        for file, row in tables[0].items():
            given = np.array([float(table[file]["fake_probability"]) for table in tables])
            odds = np.average(logit(given), weights=(FIRST, SECOND))
            writer.writerow((file, row["fake"], 1 / (1 + np.exp(-odds)), 0.5))


if __name__ == "__main__":
    main()
