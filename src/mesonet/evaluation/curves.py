"""Curves of scored images, as lists of numbers for plots and JSON."""

import numpy as np
from sklearn.metrics import roc_curve

from mesonet.evaluation.figures import CALIBRATION_BINS, Sample, calibration_bin
from mesonet.evaluation.metrics import Floats

_DIGITS = 5
_COVERAGES = np.linspace(0.02, 1, 50)


def roc(sample: Sample) -> dict[str, list[float]]:
    """The ROC curve: ``false_alarms`` and ``found``, shares 0..1, corners only."""
    false_alarms, found, _ = roc_curve(sample.is_fake, sample.fake_probability)
    return {"false_alarms": _plain(false_alarms), "found": _plain(found)}


def reliability(sample: Sample) -> list[dict[str, float]]:
    """Scores against what came true, in bins of equal width.

    Returns:
        For each bin its ``low`` and ``high`` end and ``count``, and where that is not zero the
        ``mean_probability`` of its images and the ``share_fake`` of them that are manipulated.
    """
    bins = calibration_bin(sample.fake_probability)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    scores = np.bincount(bins, sample.fake_probability, CALIBRATION_BINS)
    fakes = np.bincount(bins, sample.is_fake, CALIBRATION_BINS)
    rows = []
    for number, count in enumerate(counts.tolist()):
        row = {
            "low": round(number / CALIBRATION_BINS, _DIGITS),
            "high": round((number + 1) / CALIBRATION_BINS, _DIGITS),
            "count": count,
        }
        if count:
            row["mean_probability"] = round(float(scores[number]) / count, _DIGITS)
            row["share_fake"] = round(float(fakes[number]) / count, _DIGITS)
        rows.append(row)
    return rows


def risk_coverage(sample: Sample) -> dict[str, list[float]]:
    """Share of errors where only the surest verdicts are given.

    A verdict is the surer the further its score lies from the threshold, as a share of what is
    possible on that side. Equally sure verdicts are given together.

    Returns:
        ``coverage``, share of the images that get a verdict, and ``risk``, share of errors
        among these, both 0..1; at most 50 points.
    """
    limit = np.broadcast_to(np.asarray(sample.threshold, np.float64), sample.is_fake.shape)
    room = np.where(sample.called_fake, 1 - limit, limit)
    sureness = np.abs(sample.fake_probability - limit) / np.where(room > 0, room, 1)
    order = np.argsort(-sureness, kind="stable")
    errors = np.cumsum(~sample.right[order])
    ends = np.append(np.flatnonzero(np.diff(sureness[order])), len(order) - 1)
    coverage = (ends + 1) / len(order)
    kept = np.unique(np.searchsorted(coverage, _COVERAGES - 1e-12))
    return {
        "coverage": _plain(coverage[kept]),
        "risk": _plain(errors[ends[kept]] / (ends[kept] + 1)),
    }


def _plain(values: Floats) -> list[float]:
    rounded: list[float] = np.round(values, _DIGITS).tolist()
    return rounded
