"""The released detectors beside `mesolite`, the default before 0.2.0.

    python -m benchmarks.old_and_new

Figures of `mesolite` are those that its card and pages had; its files are gone.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.common import markdown_table, write_page
from recipes.detector.release import read_scores

from mesonet.evaluation.metrics import auc

SCORES = Path("recipes/detector/scores")
PAGES = Path("docs/benchmarks")
MODELS = ("standard", "thorough")
KNOWN = {"mesonet": 0.983, "ffpp": 0.972, "ciplab": 0.837}
UNKNOWN = {"dfdc": 0.547, "synthetic": 0.559}
LOST = {"jpeg 50": 0.025, "resize bilinear 0.5": 0.019}
TEXT = """
# Before and after

`mesolite`, three joined networks for three kinds, was the default before 0.2.0. Its figures on
known kinds are those of five folds of whole sets; those on `dfdc` and `synthetic`, which it never
saw, come from other groups of these sets. The new detectors have those of the test part. So
differences of some hundredths say nothing.
"""


def main() -> None:
    """Read the stored figures and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PAGES / "old_and_new.md")
    options = parser.parse_args()
    aucs = {model: set_aucs(SCORES / f"{model}-test.csv") for model in MODELS}
    rows: list[list[object]] = []
    for name, old in (KNOWN | UNKNOWN).items():
        title = f"AUC, {name}" + (", which `mesolite` never saw" if name in UNKNOWN else "")
        rows.append([title, old, *(aucs[model][name] for model in MODELS)])
    lost = mean_lost(json.loads((PAGES / "robustness.json").read_text()))
    rows += [
        [f"AUC lost, {name}, mean of known kinds", old, lost[name], None]
        for name, old in LOST.items()
    ]
    fragility = json.loads((PAGES / "fragility.json").read_text())["sets"]["all"]
    wrong = (f"{100 * fragility[when]['value']:.1f} %" for when in ("wrong_before", "wrong_after"))
    rows += [
        [
            "wrong sure verdicts, before and after mild changes; of `mesolite` by its band",
            "5.8 %, 4.2 %",
            ", ".join(wrong),
            None,
        ],
        ["faces/s on two cores", "66", "113", "3.2"],
        ["size", "13.6 MB", "6.8 MB", "11.7 MB and 88.7 MB that are fetched"],
    ]
    write_page(options.output, TEXT, markdown_table(["figure", "mesolite", *MODELS], rows))


def set_aucs(scores: Path) -> dict[str, float]:
    """Image AUC of each set."""
    files, _, fake, raw = read_scores(scores)
    sets = np.array([file.split("/")[0] for file in files])
    return {str(name): auc(fake[sets == name], raw[sets == name]) for name in np.unique(sets)}


def mean_lost(benchmark: dict[str, Any]) -> dict[str, float]:
    """AUC that `LOST`'s changes take, mean over the sets."""
    found: dict[str, list[float]] = {name: [] for name in LOST}
    for entry in benchmark["robustness"]:
        for family, curve in entry["families"].items():
            for level in curve["levels"]:
                if "lost" in level and (name := f"{family} {level['level']:g}") in found:
                    found[name].append(level["lost"]["value"])
    return {name: float(np.mean(values)) for name, values in found.items()}


if __name__ == "__main__":
    main()
