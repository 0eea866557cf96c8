"""Measuring several models on the same images, with intervals, and by pairs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesonet.detector import DEEPFAKE, REAL, Band
from mesonet.evaluation.curves import reliability, risk_coverage, roc
from mesonet.evaluation.figures import Figures, Sample, measure_figures
from mesonet.evaluation.metrics import Bools, Floats, draw_groups, group_units, unit_means
from mesonet.progress import Progress

ROUNDS = 1000
CONFIDENCE = 0.95

_WORST_GROUPS = 10


@dataclass(frozen=True, slots=True)
class ModelScores:
    """What a model says of the images.

    Attributes:
        model: its name.
        fake_probability: 0..1, shape ``(n,)``.
        threshold: from this score on an image is called a deepfake, shape ``(n,)``.
        band: scores from the first to below the second are uncertain; None without.
    """

    model: str
    fake_probability: Floats
    threshold: Floats
    band: Band | None = None


@dataclass(frozen=True, slots=True)
class _Level:
    """What is counted, images or groups, and how often each draw holds each of them."""

    is_fake: Bools
    unit_of_image: NDArray[np.intp]
    weights: NDArray[np.int32]

    def sample(self, scores: ModelScores) -> Sample:
        return Sample(
            self.is_fake,
            unit_means(scores.fake_probability, self.unit_of_image),
            unit_means(scores.threshold, self.unit_of_image),
            scores.band,
        )


def compare(
    is_fake: Bools,
    groups: Sequence[str],
    models: Sequence[ModelScores],
    *,
    by_group: bool,
    progress: Progress,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Measure every model, and the difference of every two of them.

    The same groups are drawn for all, so that differences are paired.

    Args:
        is_fake: truth, shape ``(n,)``.
        groups: group of each image, as many; draws take or leave a whole group.
        models: their scores of these images.
        by_group: also measure the groups themselves, by the mean score of a group's real and of
            its manipulated images.
        progress: is told of the progress.

    Returns:
        For each model its ``name`` as ``model``, and by level, ``image`` or ``group``: counts,
        ``figures`` see `measure_figures` with their intervals, and curves; and with
        ``by_group`` the ``worst_groups``. Then for each pair of models the ``first`` less the
        ``second``, by level.

    Raises:
        ValueError: a class is missing.
    """
    levels = _levels(is_fake, groups, by_group)
    measured: list[dict[str, Any]] = []
    values: dict[tuple[str, str], tuple[Figures, Figures]] = {}
    for done, scores in enumerate(models, start=1):
        entry: dict[str, Any] = {"model": scores.model}
        for name, level in levels.items():
            sample = level.sample(scores)
            figures, draws = measure_figures(sample), measure_figures(sample, level.weights)
            values[scores.model, name] = figures, draws
            entry[name] = _describe(sample) | {
                "figures": {key: interval(figures[key][0], draws[key]) for key in figures}
            }
        if by_group:
            entry["worst_groups"] = _worst_groups(is_fake, groups, scores)
        measured.append(entry)
        progress(done, len(models))
    differences = []
    for first, second in combinations([scores.model for scores in models], 2):
        pair: dict[str, Any] = {"first": first, "second": second}
        for name in levels:
            (a, a_draws), (b, b_draws) = values[first, name], values[second, name]
            pair[name] = {
                key: interval(a[key][0] - b[key][0], a_draws[key] - b_draws[key])
                for key in a
                if key in b
            }
        differences.append(pair)
    return measured, differences


def interval(value: float, draws: Floats) -> dict[str, float | None]:
    """A figure with the ends of its percentile interval; None stands for what does not exist."""
    known = draws[~np.isnan(draws)]
    if math.isnan(value) or not len(known):
        return {"value": None, "low": None, "high": None}
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return {"value": float(value), "low": float(low), "high": float(high)}


def _levels(is_fake: Bools, groups: Sequence[str], by_group: bool) -> dict[str, _Level]:
    names, group_of_image = np.unique(groups, return_inverse=True)
    counts = draw_groups(is_fake, group_of_image, rounds=ROUNDS)
    levels = {"image": _Level(is_fake, np.arange(len(is_fake)), counts[:, group_of_image])}
    if by_group:
        truth, group_of_unit, unit_of_image = group_units(is_fake, groups)
        weights = counts[:, np.searchsorted(names, group_of_unit)]
        levels["group"] = _Level(truth, unit_of_image, weights)
    return levels


def _describe(sample: Sample) -> dict[str, Any]:
    fakes = int(sample.is_fake.sum())
    return {
        "count": len(sample.is_fake),
        REAL: len(sample.is_fake) - fakes,
        DEEPFAKE: fakes,
        "roc": roc(sample),
        "reliability": reliability(sample),
        "risk_coverage": risk_coverage(sample),
    }


def _worst_groups(
    is_fake: Bools, groups: Sequence[str], scores: ModelScores
) -> list[dict[str, Any]]:
    truth, names, unit_of_image = group_units(is_fake, groups)
    right = (scores.fake_probability >= scores.threshold) == is_fake
    counts = np.bincount(unit_of_image)
    accuracy = unit_means(right.astype(np.float64), unit_of_image)
    means = unit_means(scores.fake_probability, unit_of_image)
    return [
        {
            "group": names[unit],
            "truth": DEEPFAKE if truth[unit] else REAL,
            "images": int(counts[unit]),
            "accuracy": float(accuracy[unit]),
            "mean_probability": float(means[unit]),
        }
        for unit in np.lexsort((-counts, accuracy))[:_WORST_GROUPS]
    ]
