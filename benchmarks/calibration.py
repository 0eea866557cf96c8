"""Which calibration serves all kinds, and how exact can it be measured?

    python -m benchmarks.calibration standard=recipes/detector/scores/standard

Reads ``-validation.csv`` and ``-test.csv`` behind each name.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from benchmarks.common import markdown_table, write_page
from numpy.typing import NDArray
from recipes.detector.release import read_scores
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from mesonet.detector import Detector
from mesonet.evaluation.figures import CALIBRATION_BINS, calibration_bin
from mesonet.model_info import logit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Fitted = Callable[[Floats], Floats]

FOLDS = 5
SEEDS = 3
DRAWS = 200
LOWEST = 1e-3
TEXT = """
# Calibration of each kind

Expected calibration error (15 bins; both classes of a set count the same, as the probabilities
mean it) and log loss on validation images, each judged by a calibrator that was fitted on other
groups: five folds, three seeds. One calibrator serves all sets, and every class of every set
counts the same in its fit, but for "one for each set", which knows what nobody tells a detector
in use, and cannot be had where a class has a single group. "By chance" is the error that a
perfect calibration would show on so few images, by simulation; no calibrator can be told to be
better than that.

Platt: temperature and bias (Platt, 1999; Guo et al., ICML 2017), as released. Beta: Kull et al.,
AISTATS 2017. Isotonic: Zadrozny & Elkan, KDD 2002.
"""


def fit_platt(odds: Floats, fake: Bools, weights: Floats) -> Fitted:
    """Logistic regression on the log odds: temperature and bias."""
    fit = LogisticRegression(C=np.inf, max_iter=1000).fit(odds[:, None], fake, weights)
    return lambda values: fit.predict_proba(values[:, None])[:, 1]


def fit_beta(odds: Floats, fake: Bools, weights: Floats) -> Fitted:
    """Logistic regression on the logarithms of the score and of what it lacks to 1."""

    def logarithms(values: Floats) -> Floats:
        return np.column_stack([-np.logaddexp(0, -values), np.logaddexp(0, values)])

    fit = LogisticRegression(C=np.inf, max_iter=5000).fit(logarithms(odds), fake, weights)
    return lambda values: fit.predict_proba(logarithms(values))[:, 1]


def fit_isotonic(odds: Floats, fake: Bools, weights: Floats) -> Fitted:
    """The best rising step function."""
    fit = IsotonicRegression(y_min=LOWEST, y_max=1 - LOWEST, out_of_bounds="clip")
    fitted: Fitted = fit.fit(odds, fake, weights).predict
    return fitted


CALIBRATORS = {"Platt, released": fit_platt, "beta": fit_beta, "isotonic": fit_isotonic}


def main() -> None:
    """Try the calibrators, measure the released calibration, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scores", nargs="+", metavar="MODEL=SCORES")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks/calibration.md"))
    options = parser.parse_args()
    parts = []
    for text in options.scores:
        model, _, path = text.partition("=")
        detector = Detector.load(model)
        parts += [
            f"## {detector.name}",
            try_calibrators(Path(f"{path}-validation.csv")),
            "The released calibration on the test part:",
            measure_released(detector, Path(f"{path}-test.csv")),
        ]
    write_page(options.output, TEXT, *parts)


def try_calibrators(scores: Path) -> str:
    """A row for each calibrator: error of each set, and log loss."""
    files, names, fake, raw = read_scores(scores)
    groups, odds = np.array(names), logit(raw)
    sets = np.array([file.split("/")[0] for file in files])
    classes = np.char.add(sets, np.where(fake, "/fake", "/real"))
    weights = balanced(classes)
    known = list(dict.fromkeys(sets.tolist()))
    rows: list[list[object]] = []

    def add(title: str, tried: list[Floats]) -> None:
        errors = [
            float(np.mean([error(fake[r], p[r], weights[r]) for p in tried]))
            for r in (sets == name for name in known)
        ]
        losses = [-np.average(np.log(np.where(fake, p, 1 - p)), weights=weights) for p in tried]
        rows.append([title, *errors, float(np.mean(errors)), float(np.mean(losses))])

    tried: list[Floats] = []
    for title, fit in CALIBRATORS.items():
        tried = [held_out(fit, odds, fake, weights, groups, classes, seed) for seed in range(SEEDS)]
        add(title, tried)
        if fit is fit_platt:
            probabilities = tried[0]
    apart = np.full(len(odds), np.nan)
    for name in known:
        r = sets == name
        few = min(len(np.unique(groups[r & (fake == kind)])) for kind in (False, True))
        if few > 1:
            own = odds[r], fake[r], weights[r], groups[r], classes[r]
            apart[r] = held_out(fit_platt, *own, seed=0, folds=min(few, FOLDS))
    add("Platt, one for each set", [apart])
    chance = [by_chance(probabilities[sets == n], weights[sets == n]) for n in known]
    rows.append(["by chance", *chance, float(np.mean(chance)), None])
    return markdown_table(["calibrator", *known, "mean", "log loss"], rows)


def measure_released(detector: Detector, scores: Path) -> str:
    """Error of the released calibration on each set, and that of a perfect one by chance."""
    files, _, fake, raw = read_scores(scores)
    sets = np.array([file.split("/")[0] for file in files])
    weights = balanced(np.char.add(sets, np.where(fake, "/fake", "/real")))
    probability = np.asarray(detector.info.calibrated(raw), np.float64)
    rows: list[list[object]] = []
    for name in dict.fromkeys(sets.tolist()):
        r = sets == name
        mean = float(np.average(probability[r], weights=weights[r]))
        rows.append(
            [
                name,
                int(r.sum()),
                error(fake[r], probability[r], weights[r]),
                by_chance(probability[r], weights[r]),
                mean,
            ]
        )
    titles = ["set", "images", "calibration error", "by chance", "mean probability (half is right)"]
    return markdown_table(titles, rows)


def balanced(classes: NDArray[np.str_]) -> Floats:
    """Weights with which every class of every set counts the same."""
    _, place, count = np.unique(classes, return_inverse=True, return_counts=True)
    weights: Floats = 1 / count[place]
    return weights


def held_out(
    fit: Callable[[Floats, Bools, Floats], Fitted],
    odds: Floats,
    fake: Bools,
    weights: Floats,
    groups: NDArray[np.str_],
    classes: NDArray[np.str_],
    seed: int,
    folds: int = FOLDS,
) -> Floats:
    """Probabilities of images by calibrators that were fitted on other groups."""
    found = np.zeros(len(odds))
    parts = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for rest, asked in parts.split(odds, classes, groups):
        found[asked] = fit(odds[rest], fake[rest], weights[rest])(odds[asked])
    return np.clip(found, LOWEST, 1 - LOWEST)


def error(fake: Bools, probability: Floats, weights: Floats) -> float:
    """Expected calibration error with weights; NaN where a probability is."""
    if np.isnan(probability).any():
        return float("nan")
    bins = calibration_bin(probability)
    gaps = np.bincount(bins, weights * (probability - fake), CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / weights.sum())


def by_chance(probability: Floats, weights: Floats) -> float:
    """Mean error of images whose truths are drawn by these very probabilities."""
    rng = np.random.default_rng(0)
    draws = rng.random((DRAWS, len(probability))) < probability
    return float(np.mean([error(draw, probability, weights) for draw in draws]))


if __name__ == "__main__":
    main()
