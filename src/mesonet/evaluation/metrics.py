"""Metrics of a detector. Manipulated is the positive class and 1 the surest score."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating]
Metric = Callable[[Bools, Floats], float]

_DRAWS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Metrics:
    """How a detector did on a set of images, or of groups.

    Attributes:
        count: number of images or groups.
        accuracy: share that is called right, 0..1.
        balanced_accuracy: mean of the two classes' shares, 0..1.
        auc: area under the ROC curve, 0..1; None where there is only one class.
        confusion: rows are true real and true deepfake, columns called real and called
            deepfake.
    """

    count: int
    accuracy: float
    balanced_accuracy: float
    auc: float | None
    confusion: tuple[tuple[int, int], tuple[int, int]]

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return asdict(self)


def measure(is_fake: Bools, fake_probability: Floats, threshold: float) -> Metrics:
    """Compare scores with the truth.

    Args:
        is_fake: truth, shape ``(n,)``.
        fake_probability: scores 0..1, shape ``(n,)``.
        threshold: from this score on an image is called a deepfake.

    Raises:
        ValueError: there is nothing to measure.
    """
    if not len(is_fake):
        raise ValueError("there is nothing to measure")
    called = fake_probability >= threshold
    (tn, fp), (fn, tp) = confusion_matrix(is_fake, called, labels=[False, True]).tolist()
    shares = [right / total for right, total in ((tn, tn + fp), (tp, fn + tp)) if total]
    return Metrics(
        count=len(is_fake),
        accuracy=(tn + tp) / len(is_fake),
        balanced_accuracy=sum(shares) / len(shares),
        auc=auc(is_fake, fake_probability) if len(shares) == 2 else None,
        confusion=((tn, fp), (fn, tp)),
    )


def auc(is_fake: Bools, fake_probability: Floats) -> float:
    """Area under the ROC curve."""
    return float(roc_auc_score(is_fake, fake_probability))


def group_units(is_fake: Bools, groups: Sequence[str]) -> tuple[Bools, list[str], NDArray[np.intp]]:
    """Divide images into units: each group's real and each group's manipulated images.

    Returns:
        Truth of every unit, the name of its group, and the index of each image's unit.
    """
    keys, unit_of_image = np.unique(
        [f"{fake:d}/{group}" for fake, group in zip(is_fake, groups, strict=True)],
        return_inverse=True,
    )
    truth = np.array([key.startswith("1") for key in keys], dtype=bool)
    return truth, [str(key[2:]) for key in keys], unit_of_image


def unit_means(values: Floats, unit_of_image: NDArray[np.intp]) -> Floats:
    """Average the values, of shape ``(n,)``, of each unit's images."""
    means: Floats = np.bincount(unit_of_image, values) / np.bincount(unit_of_image)
    return means


def group_means(
    is_fake: Bools, fake_probability: Floats, groups: Sequence[str]
) -> tuple[Bools, Floats]:
    """Average the scores of each group's real and each group's manipulated images.

    Returns:
        Truth and mean score of every group; a group with images of both classes gives two.
    """
    truth, _, unit_of_image = group_units(is_fake, groups)
    return truth, unit_means(fake_probability, unit_of_image)


def choose_threshold(is_fake: Bools, fake_probability: Floats) -> float:
    """The threshold with the best balanced accuracy, in the middle of its gap between scores.

    Use it on validation data; on the data that is reported it makes figures too good.
    """
    false_rate, true_rate, thresholds = roc_curve(is_fake, fake_probability)
    gain = true_rate - false_rate
    best = float(thresholds[np.flatnonzero(gain == gain.max())[-1]])
    below = fake_probability[fake_probability < best]
    middle = (best + float(below.max())) / 2 if len(below) else best
    return middle if middle not in below else best


def draw_groups(
    is_fake: Bools, group_of_image: NDArray[np.integer], *, rounds: int = 1000, seed: int = 0
) -> NDArray[np.int32]:
    """Draw whole groups with replacement, as many as there are, again and again.

    Images of one group are not independent, so the group is what is drawn. Draws that miss a
    class are drawn anew.

    Args:
        is_fake: truth, shape ``(n,)``.
        group_of_image: index of each image's group, from 0 without gaps, shape ``(n,)``.
        rounds: number of draws.
        seed: another seed gives other draws.

    Returns:
        How often each draw holds each group, shape ``(rounds, groups)``.

    Raises:
        ValueError: a class is missing.
    """
    if is_fake.all() or not is_fake.any():
        raise ValueError("an interval needs images of both classes")
    fakes = np.bincount(group_of_image, is_fake)
    reals = np.bincount(group_of_image, ~is_fake)
    size = len(fakes)
    rng = np.random.default_rng(seed)
    kept = np.empty((rounds, size), np.int32)
    done = 0
    while done < rounds:
        part = min(rounds - done, _DRAWS_AT_ONCE)
        drawn = rng.integers(0, size, (part, size)) + size * np.arange(part)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=part * size).reshape(part, size)
        counts = counts[(counts @ fakes > 0) & (counts @ reals > 0)]
        kept[done : done + len(counts)] = counts
        done += len(counts)
    return kept


def bootstrap_interval(
    metric: Metric,
    is_fake: Bools,
    fake_probability: Floats,
    groups: Sequence[str],
    *,
    rounds: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap over groups (Efron & Tibshirani, 1993) of any metric.

    `mesonet.evaluation.figures` knows the usual metrics for all draws at once, which is faster.

    Returns:
        Lower and upper end of the interval.

    Raises:
        ValueError: a class is missing.
    """
    _, group_of_image = np.unique(groups, return_inverse=True)
    values = []
    for counts in draw_groups(is_fake, group_of_image, rounds=rounds, seed=seed):
        chosen = np.repeat(np.arange(len(is_fake)), counts[group_of_image])
        values.append(metric(is_fake[chosen], fake_probability[chosen]))
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
