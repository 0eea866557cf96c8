"""The figures a detector is judged by, for one set of scores or for many bootstrap draws at once.

Manipulated is the positive class. A draw is a row of weights: how often it holds each image.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesonet.evaluation.metrics import Bools, Floats

CALIBRATION_BINS = 15
_ROWS_AT_ONCE = 100

Figures = dict[str, Floats]
"""Values of shape ``(rounds,)`` by name; NaN where a figure does not exist."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Scored images, or the groups they were averaged to.

    Attributes:
        is_fake: truth, shape ``(n,)``; both classes are there.
        fake_probability: scores 0..1, shape ``(n,)``.
        threshold: from this score on it is called a deepfake; one, or one each.
        band: scores from the first to below the second are called uncertain; None without.
    """

    is_fake: Bools
    fake_probability: Floats
    threshold: Floats | float
    band: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.is_fake.all() or not self.is_fake.any():
            raise ValueError("figures need images of both classes")

    @property
    def called_fake(self) -> Bools:
        """What reaches the threshold, shape ``(n,)``."""
        return np.greater_equal(self.fake_probability, self.threshold)

    @property
    def right(self) -> Bools:
        """What is called by its true class, shape ``(n,)``."""
        return np.equal(self.called_fake, self.is_fake)


def measure_figures(sample: Sample, weights: NDArray[np.integer] | None = None) -> Figures:
    """Compute every figure, for each row of weights.

    Args:
        sample: what was scored.
        weights: how often each draw holds each image, shape ``(rounds, n)``, with both classes
            in every row; None for every image once.

    Returns:
        ``auc``: area under the ROC curve. ``average_precision``: area under the precision-recall
        curve, as a step function. ``eer``: error rate where the ROC curve, joined by straight
        lines, has as many false alarms as misses. ``accuracy``, ``balanced_accuracy``: at the
        threshold. ``tpr_at_fpr_1``, ``tpr_at_fpr_5``: share of the manipulated found by a
        threshold that calls at most 1 %, 5 % of the real manipulated, without interpolation.
        ``brier``: mean squared distance of score and truth. ``ece``: expected calibration error
        over 15 bins of equal width (Guo et al., 2017, arXiv 1706.04599). With a band also
        ``uncertain``, its share, and ``accuracy_decided``, the accuracy of the rest.
    """
    order, ends = _rank(sample)
    scores = sample.fake_probability[order].astype(np.float64)
    fake = sample.is_fake[order].astype(np.float64)
    right = sample.right[order].astype(np.float64)
    distance = scores - fake
    gaps = np.zeros((len(scores), CALIBRATION_BINS))
    gaps[np.arange(len(scores)), calibration_bin(scores)] = distance
    decided: Floats = np.ones_like(fake)
    if sample.band:
        low, high = sample.band
        decided = 1.0 - ((scores >= low) & (scores < high))

    def measure_rows(rows: NDArray[np.integer]) -> Figures:
        w = rows[:, order].astype(np.float64)
        found = _cumulated(w * fake, ends)
        alarms = _cumulated(w * (1 - fake), ends)
        total, fakes, reals = w.sum(axis=1), found[:, -1], alarms[:, -1]
        tpr, fpr = found / fakes[:, None], alarms / reals[:, None]
        missed = 1 - tpr
        called_right = w @ right
        fakes_right = w @ (right * fake)
        figures = {
            "auc": (np.diff(fpr) * (tpr[:, 1:] + tpr[:, :-1])).sum(axis=1) / 2,
            "average_precision": _average_precision(found, alarms),
            "eer": _equal_error_rate(fpr, missed),
            "accuracy": called_right / total,
            "balanced_accuracy": (fakes_right / fakes + (called_right - fakes_right) / reals) / 2,
            "tpr_at_fpr_1": np.where(fpr <= 0.01, tpr, 0).max(axis=1),
            "tpr_at_fpr_5": np.where(fpr <= 0.05, tpr, 0).max(axis=1),
            "brier": w @ distance**2 / total,
            "ece": np.abs(w @ gaps).sum(axis=1) / total,
        }
        if sample.band:
            settled = w @ decided
            figures["uncertain"] = 1 - settled / total
            with np.errstate(invalid="ignore"):
                figures["accuracy_decided"] = w @ (right * decided) / settled
        return figures

    return _in_parts(measure_rows, len(order), weights)


def measure_auc(sample: Sample, weights: NDArray[np.integer] | None = None) -> Floats:
    """The area under the ROC curve alone, as `measure_figures` gives it; shape ``(rounds,)``."""
    order, ends = _rank(sample)
    fake = sample.is_fake[order].astype(np.float64)

    def measure_rows(rows: NDArray[np.integer]) -> Figures:
        w = rows[:, order].astype(np.float64)
        found, alarms = _cumulated(w * fake, ends), _cumulated(w * (1 - fake), ends)
        area = (np.diff(alarms) * (found[:, 1:] + found[:, :-1])).sum(axis=1) / 2
        return {"auc": area / found[:, -1] / alarms[:, -1]}

    return _in_parts(measure_rows, len(order), weights)["auc"]


def calibration_bin(fake_probability: Floats) -> NDArray[np.intp]:
    """Index of the calibration bin, 0 to 14, of every score 0..1."""
    return np.minimum((fake_probability * CALIBRATION_BINS).astype(np.intp), CALIBRATION_BINS - 1)


def _rank(sample: Sample) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order from the surest deepfake down, and where in it each different score ends."""
    order = np.argsort(-sample.fake_probability, kind="stable")
    steps = np.flatnonzero(np.diff(sample.fake_probability[order]))
    return order, np.append(steps, len(order) - 1)


def _in_parts(
    measure_rows: Callable[[NDArray[np.integer]], Figures],
    size: int,
    weights: NDArray[np.integer] | None,
) -> Figures:
    """Measure some rows at a time, so that memory does not grow with the rounds."""
    rows = np.ones((1, size), np.int64) if weights is None else weights
    parts = [
        measure_rows(rows[start : start + _ROWS_AT_ONCE])
        for start in range(0, len(rows), _ROWS_AT_ONCE)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _cumulated(weights: Floats, ends: NDArray[np.intp]) -> Floats:
    """Sums from the surest score down to each different score; a column of zeros comes first."""
    sums: Floats = np.pad(np.cumsum(weights, axis=1)[:, ends], ((0, 0), (1, 0)))
    return sums


def _average_precision(found: Floats, alarms: Floats) -> Floats:
    called = found + alarms
    precision = np.divide(found, called, out=np.zeros_like(called), where=called > 0)
    steps: Floats = (np.diff(found) * precision[:, 1:]).sum(axis=1)
    return steps / found[:, -1]


def _equal_error_rate(false_alarms: Floats, missed: Floats) -> Floats:
    gap = false_alarms - missed  # rises from -1 to 1
    after = np.argmax(gap >= 0, axis=1)
    row = np.arange(len(gap))
    start, end = gap[row, after - 1], gap[row, after]
    share = -start / (end - start)
    low, high = false_alarms[row, after - 1], false_alarms[row, after]
    rate: Floats = low + share * (high - low)
    return rate
