"""How the faces of a clip become one score: what each way is worth on whole videos.

    python -m benchmarks.aggregation authors DATA WEIGHTS
    python -m benchmarks.aggregation released SCORES.csv...

For the authors' detectors DATA is a folder with two class folders of frames named
``<video>_<frame>``, and WEIGHTS holds weight files of the MesoNet authors, which never saw it. For
a released detector the scores are those that are kept in ``recipes/detector/scores``, of parts that
it was not trained on; the frames of the set `mesonet` are taken, all files together.

Up to 32 frames of a video count. In every fold, temperature and bias are fitted to the frames of
other videos; then each way combines the frames of the videos that were left out, and its own second
calibration is fitted on the combined scores of those other videos (`mesonet check` calls that the
level of clips).
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from recipes.detector.release import read_scores
from sklearn.model_selection import StratifiedGroupKFold

from mesonet.checking import FRAMES, combine
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import group_keys
from mesonet.detector import Detector, Verdict
from mesonet.evaluation.calibration import fit_calibration
from mesonet.evaluation.metrics import auc

WAYS: dict[str, Callable[[np.ndarray], float]] = {
    "mean of log odds, trimmed by .1": lambda p: combine(p, 0.1),
    "mean of log odds, trimmed by .25": lambda p: combine(p, 0.25),
    "mean of log odds": lambda p: combine(p, 0),
    "mean of probabilities": lambda p: float(np.mean(p)),
    "median": lambda p: float(np.median(p)),
    "maximum": lambda p: float(np.max(p)),
    "vote (share of frames above .5)": lambda p: float(np.mean(p >= 0.5)),
}
MODELS = {
    "Meso4_DF.h5": "meso4",
    "MesoInception_DF.h5": "mesoinception4",
    "Meso4_F2F.h5": "meso4",
    "MesoInception_F2F.h5": "mesoinception4",
}
FOLDS = 10
SET = "mesonet/"
"""The one of the recipe's sets whose groups are videos of which many frames were scored."""


def main() -> None:
    """Print a table for every detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    authors = commands.add_parser("authors", help="score frames by the MesoNet authors' weights")
    authors.add_argument("data")
    authors.add_argument("weights", type=Path)
    authors.set_defaults(run=of_authors)
    released = commands.add_parser("released", help="take kept scores of one released detector")
    released.add_argument("scores", type=Path, nargs="+")
    released.set_defaults(run=of_released)
    options = vars(parser.parse_args())
    options.pop("run")(**options)


def of_released(scores: list[Path]) -> None:
    """A table of the videos in files of scores."""
    parts = [read_scores(path) for path in scores]
    files = np.array([file for names, *_ in parts for file in names])
    _, groups, fake, raw = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    of_set = np.char.startswith(files, SET)
    if not of_set.any():
        raise SystemExit(f"no scores of {SET} in {', '.join(map(str, scores))}")
    fake, videos, raw = fake[of_set], groups[of_set], raw[of_set]
    chosen = choose(videos)
    print(count(fake[chosen], videos[chosen]))
    name = ", ".join(path.stem for path in scores)
    table(name, *by_video(fake[chosen], videos[chosen], raw[chosen]))


def of_authors(data: str, weights: Path) -> None:
    """A table for every file of weights."""
    folders = ClassFolders.read(data)
    videos = np.array(group_keys([Path(path) for path in folders.paths], "video"))
    chosen = choose(videos)
    paths = [folders.paths[index] for index in chosen]
    is_fake, videos = np.asarray(folders.is_fake)[chosen], videos[chosen]
    print(count(is_fake, videos))
    for name, architecture in MODELS.items():
        detector = Detector.load(weights / name, architecture=architecture)
        results = detector.predict(paths)
        raw = np.array([r.raw_score for r in results if isinstance(r, Verdict)])
        table(name, *by_video(is_fake, videos, raw))


def choose(videos):
    """Up to 32 frames of every video, drawn by a fixed seed."""
    rng = np.random.default_rng(0)
    return np.concatenate(
        [rng.permutation(np.flatnonzero(videos == video))[:FRAMES] for video in np.unique(videos)]
    )


def count(is_fake, videos) -> str:
    """How many videos of each class there are, and how many frames."""
    fake = len(np.unique(videos[is_fake]))
    return f"{len(np.unique(videos)) - fake} real and {fake} forged videos, {len(videos)} frames"


def by_video(is_fake, videos, raw):
    """Calibrated frames of every video that no fit has seen, and each way's calibrated scores."""
    names = np.unique(videos)
    truth = np.array([is_fake[videos == video][0] for video in names])
    scores = {way: np.zeros(len(names)) for way in WAYS}
    recalibrated = {way: np.zeros(len(names)) for way in WAYS}
    fewest = min(truth.sum(), (~truth).sum())
    folds = StratifiedGroupKFold(min(FOLDS, int(fewest)), shuffle=True, random_state=0)
    for train, test in folds.split(raw, is_fake, videos):
        calibration = fit_calibration(is_fake[train], raw[train])
        frames = calibration.apply(raw)
        combined = {
            way: np.array([combine_way(frames[videos == video]) for video in names])
            for way, combine_way in WAYS.items()
        }
        inside = np.isin(names, videos[test])
        for way, values in combined.items():
            scores[way][inside] = values[inside]
            second = fit_calibration(truth[~inside], values[~inside])
            recalibrated[way][inside] = second.apply(values[inside])
    return scores, truth, recalibrated


def table(name, scores, truth, recalibrated) -> None:
    """AUC and calibration of every way, before and after a calibration on videos."""
    print(
        f"\n{name}\n| way | AUC | log loss | Brier | ECE | log loss, calibrated on videos | Brier |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for way, values in scores.items():
        row = [auc(truth, values), *errors(truth, values)]
        again = errors(truth, recalibrated[way])[:2]
        print(f"| {way} | " + " | ".join(f"{value:.3f}" for value in (*row, *again)) + " |")


def errors(truth, values) -> tuple[float, float, float]:
    """Log loss, Brier score and expected calibration error in ten bins, classes weighed alike."""
    weight = np.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum())
    sure = np.clip(values, 1e-6, 1 - 1e-6)
    loss = -(weight * np.where(truth, np.log(sure), np.log(1 - sure))).sum()
    brier = (weight * (values - truth) ** 2).sum()
    bins = np.minimum((values * 10).astype(int), 9)
    gaps = [abs((weight * (values - truth))[bins == b].sum()) for b in range(10)]
    return float(loss), float(brier), float(sum(gaps))


if __name__ == "__main__":
    main()
