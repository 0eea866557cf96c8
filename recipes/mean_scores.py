r"""Say what two networks would say together, from the scores that they left.

    python recipes/mean_scores.py joined/scores-ffpp.csv \
        blended/without-ffpp/scores-ffpp.csv whole/without-ffpp/scores-ffpp.csv

The mean is that of the log odds, as in `join.py`, which wants networks for images of one size.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from mesonet.preprocessing import logit


def main() -> None:
    """Read the scores of some files and write their mean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("scores", type=Path, nargs="+", help="as fine_tune.py writes them")
    arguments = parser.parse_args()
    tables = []
    for path in arguments.scores:
        with path.open(newline="") as lines:
            tables.append({row["file"]: row for row in csv.DictReader(lines)})
    if any(table.keys() != tables[0].keys() for table in tables):
        parser.error("the files are not about the same images")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with arguments.output.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("file", "fake", "fake_probability", "threshold"))
        for file, row in tables[0].items():
            given = np.array([float(table[file]["fake_probability"]) for table in tables])
            probability = 1 / (1 + np.exp(-logit(given).mean()))
            writer.writerow((file, row["fake"], probability, 0.5))


if __name__ == "__main__":
    main()
