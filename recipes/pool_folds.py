r"""Judge and calibrate by what trainings on different folds say of the fold that each left out.

    python recipes/pool_folds.py pooled views runs/fold-* --model runs/all/detector.keras \
        --output detector.keras

A fold is judged by the network that saw nothing of it, with the calibration, threshold and band
that the other folds give, and its figures are printed. `pooled/scores-<set>.csv` holds the scores
for `mesonet benchmark --scores`, and `pooled/<set>/` links to the images; `pooled/<run>/` holds
one fold's images and its network, completed. The model, trained on everything, gets the
calibration, threshold and band of all folds. Sets count the same in these, however many images
they have.
"""

import argparse
import csv
import json
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from cache_views import SETTINGS_FILE
from numpy.typing import NDArray

from mesonet.datasets.groups import group_keys
from mesonet.evaluation.calibration import calibrate
from mesonet.evaluation.figures import Sample, measure_figures
from mesonet.evaluation.metrics import group_means
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo

Table = NDArray[Any]
"""Rows of set, file, whether it is fake, and score."""


def read(run: Path, sets: list[str]) -> Table:
    """What a network says of the images it left out."""
    rows = []
    for name in sets:
        with (run / f"scores-{name}.csv").open(newline="") as lines:
            rows += [
                (name, row["file"], row["fake"], row["fake_probability"])
                for row in csv.DictReader(lines)
            ]
    return np.array(rows)


def complete(info: ModelInfo, table: Table) -> ModelInfo:
    """Add calibration, threshold and band, from as many images of each set."""
    rng = np.random.default_rng(0)
    names, sizes = np.unique(table[:, 0], return_counts=True)
    chosen = [
        rng.choice(np.flatnonzero(table[:, 0] == name), sizes.min(), replace=False)
        for name in names
    ]
    drawn = table[np.concatenate(chosen)]
    return calibrate(info, drawn[:, 2] == "True", drawn[:, 3].astype(float))


def print_figures(run: str, fitted: ModelInfo, table: Table, groupings: dict[str, str]) -> None:
    """Say how one fold was judged: a line for the images, one for the groups of each set."""
    for name, grouping in groupings.items():
        rows = table[table[:, 0] == name]
        fake, scores = rows[:, 2] == "True", rows[:, 3].astype(float)
        keys = group_keys([PurePath(file) for file in rows[:, 1]], grouping)
        levels = {"image": (fake, scores), "group": group_means(fake, scores, keys)}
        for level, judged in levels.items():
            figures = measure_figures(Sample(*judged, fitted.threshold, fitted.band))
            shown = " ".join(
                f"{key} {figures[key].item():.3f}"
                for key in ("accuracy", "auc", "ece", "uncertain", "accuracy_decided")
            )
            print(f"{run} {name} {level} n {len(judged[0])} {shown}")


def link_images(folder: Path, files: Table, target: Path) -> None:
    """Show some images of a data folder as a data folder of their own."""
    for file in files:
        link = target / file
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to((folder / file).resolve())


def main() -> None:
    """Pool, judge, and complete the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pooled", type=Path)
    parser.add_argument("views", type=Path)
    parser.add_argument("runs", type=Path, nargs="+", help="of different folds")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    settings = json.loads((arguments.views / SETTINGS_FILE).read_text())
    sets = {Path(folder).name: Path(folder) for folder, _ in settings["data"]}
    groupings = {Path(folder).name: grouping for folder, grouping in settings["data"]}
    tables = [read(run, list(sets)) for run in arguments.runs]
    judged = []
    for number, table in enumerate(tables):
        others = np.concatenate(tables[:number] + tables[number + 1 :])
        run = arguments.runs[number]
        network, info = load_model(run / "detector.keras")
        fitted = complete(info, others)
        assert fitted.calibration  # noqa: S101
        scores = fitted.calibration.apply(table[:, 3].astype(float))
        thresholds = np.full(len(table), fitted.threshold)
        calibrated = np.column_stack([table[:, :3], scores])
        print_figures(run.name, fitted, calibrated, groupings)
        judged.append(np.column_stack([table[:, :2], scores, thresholds]))
        for name, folder in sets.items():
            files = table[table[:, 0] == name][:, 1]
            link_images(folder, files, arguments.pooled / name)
            link_images(folder, files, arguments.pooled / run.name / name)
        save_model(network, arguments.pooled / run.name / "detector.keras", fitted)
    rows = np.concatenate(judged)
    for name in sets:
        with (arguments.pooled / f"scores-{name}.csv").open("w", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(("file", "fake_probability", "threshold"))
            writer.writerows(rows[rows[:, 0] == name][:, 1:])
    model, info = load_model(arguments.model)
    completed = complete(info, np.concatenate(tables))
    save_model(model, arguments.output, completed)
    print(completed)


if __name__ == "__main__":
    main()
