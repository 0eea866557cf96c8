"""Probabilities that come true, and a band in which a detector does not decide.

Real and manipulated images count the same in all of it, however many there are of each: a
calibrated probability of .7 means that seven of ten such images are manipulated where both
classes are equally frequent. Fit on validation data, which the network was not trained on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from mesonet.detector import DEEPFAKE, REAL, Band
from mesonet.errors import ArgumentError, DataError
from mesonet.evaluation.metrics import Bools, Floats, auc, choose_threshold
from mesonet.model_info import Calibration, ModelInfo, logit

_MAX_TEMPERATURE = 100.0
_LEAST_SPREAD = 1e-6
_FOLDS = 5
_CHANCE = 0.55
_MOST_UNCERTAIN = 0.95
_FAR_OFF = 1.5


def fit_calibration(is_fake: Bools, raw_scores: Floats) -> Calibration:
    """Fit temperature and bias by maximum likelihood (Guo et al., ICML 2017).

    The truths are softened as Platt (1999) does it, so that a network that makes no mistake is
    not taken for infallible. Scores that say nothing, or the contrary, get a high temperature.

    Args:
        is_fake: truth, shape ``(n,)``.
        raw_scores: the network's own fake scores 0..1, shape ``(n,)``.

    Raises:
        ValueError: a class is missing.
    """
    fakes, reals = _count(is_fake)
    logits = logit(raw_scores)
    center, spread = logits.mean(), max(logits.std(), _LEAST_SPREAD)
    features = ((logits - center) / spread)[:, None]
    target = np.where(is_fake, (fakes + 1) / (fakes + 2), 1 / (reals + 2))
    weight = np.where(is_fake, 1 / fakes, 1 / reals)
    fit = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(
        np.concatenate([features, features]),
        np.repeat([True, False], len(target)),
        np.concatenate([weight * target, weight * (1 - target)]),
    )
    slope = float(fit.coef_[0, 0] / spread)
    offset = float(fit.intercept_[0] - slope * center)
    if slope < 1 / _MAX_TEMPERATURE:
        slope = 1 / _MAX_TEMPERATURE
        offset = -slope * float(logits[is_fake].mean() + logits[~is_fake].mean()) / 2
    return Calibration(temperature=1 / slope, bias=offset / slope)


def choose_band(is_fake: Bools, calibrated: Floats, threshold: float, error_rate: float) -> Band:
    """The narrowest band around a threshold that keeps verdicts within an error rate.

    Args:
        is_fake: truth, shape ``(n,)``.
        calibrated: fake probabilities, strictly between 0 and 1, shape ``(n,)``.
        threshold: the fake probability from which an image is called a deepfake.
        error_rate: share of the images called real, and of those called deepfakes, that may be
            wrong, 0..1, each class counting for one half.

    Returns:
        The end below which an image is real and the end from which it is a deepfake. Both are
        the threshold where it errs rarely enough by itself; where no image can be decided, one
        end lies below and one above all of them.

    Raises:
        ValueError: a class is missing, or a number is out of range.
    """
    fakes, reals = _count(is_fake)
    if not (0 <= error_rate <= 1 and 0 <= threshold <= 1):
        raise ArgumentError("the error rate and the threshold must lie in 0..1")
    order = np.argsort(calibrated)
    scores = calibrated[order].astype(np.float64)
    ends = np.union1d(_gaps(scores), threshold)
    below = np.searchsorted(scores, ends)
    fakes_below = np.concatenate([[0], np.cumsum(is_fake[order])])[below]
    reals_below = below - fakes_below
    right_real, wrong_real = reals_below / reals, fakes_below / fakes
    right_fake, wrong_fake = (fakes - fakes_below) / fakes, (reals - reals_below) / reals
    low = ends[(wrong_real <= error_rate * (right_real + wrong_real)) & (ends <= threshold)]
    high = ends[(wrong_fake <= error_rate * (right_fake + wrong_fake)) & (ends >= threshold)]
    return float(low.max()), float(high.min())


def check_better_than_chance(is_fake: Bools, raw_scores: Floats) -> None:
    """Refuse scores that say next to nothing, or the contrary.

    Raises:
        mesonet.errors.DataError: there is nothing to calibrate.
    """
    found = auc(is_fake, raw_scores)
    if found < _CHANCE:
        raise DataError(
            "",
            f"the model is no better than chance on these images (ROC AUC {found:.2f}); there is "
            "nothing to calibrate",
        )


def calibrate(
    info: ModelInfo, is_fake: Bools, raw_scores: Floats, error_rate: float = 0.05
) -> ModelInfo:
    """Complete a description by calibration, threshold and band.

    Words that were measured with another calibration are dropped, see
    `mesonet.evaluation.words.measure_words`.

    Args:
        info: the description of the model that gave the scores.
        is_fake: truth, shape ``(n,)``.
        raw_scores: the network's own fake scores 0..1, shape ``(n,)``.
        error_rate: see `choose_band`.

    Raises:
        ValueError: a class is missing, or the error rate is out of range.
    """
    calibration, threshold, band = _fit(is_fake, raw_scores, error_rate)
    return replace(
        info,
        calibration=calibration,
        threshold=threshold,
        band=band,
        error_rate=error_rate,
        evidence=None,
        clip_evidence=None,
    )


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What calibrations say of images that they were not fitted on.

    Attributes:
        is_fake: truth, shape ``(n,)``.
        fake_probability: calibrated, shape ``(n,)``.
        threshold: of the calibration that judged the image, shape ``(n,)``.
        uncertain: whether the image lies in that calibration's band, shape ``(n,)``.
    """

    is_fake: Bools
    fake_probability: Floats
    threshold: Floats
    uncertain: Bools

    def error_rate(self, called_fake: bool) -> float | None:
        """Share of wrong ones among the decided images called so, each class one half.

        None where no image is called so.
        """
        chosen = ~self.uncertain & ((self.fake_probability >= self.threshold) == called_fake)
        of_fakes = float(chosen[self.is_fake].mean())
        of_reals = float(chosen[~self.is_fake].mean())
        wrong = of_reals if called_fake else of_fakes
        return wrong / (of_fakes + of_reals) if chosen.any() else None

    def doubts(self, error_rate: float) -> Iterator[str]:
        """Why the calibration is of little use, if so: sentences with figures.

        Args:
            error_rate: what was asked for, see `choose_band`.
        """
        uncertain = self.uncertain.mean()
        if uncertain > _MOST_UNCERTAIN:
            yield (
                f"{uncertain:.0%} of the images are left uncertain: the model can hardly decide "
                f"any with {error_rate:.1%} wrong verdicts; allow more, or train it better"
            )
        for kind in (False, True):
            rate = self.error_rate(kind)
            if rate is not None and rate > _FAR_OFF * error_rate:
                yield (
                    f"{rate:.1%} of the {DEEPFAKE if kind else REAL} verdicts were wrong on groups "
                    f"that the band was not fitted on, and {error_rate:.1%} were asked for: more "
                    "groups would make it sounder"
                )


def cross_calibrate(
    is_fake: Bools, raw_scores: Floats, groups: Sequence[str], error_rate: float = 0.05
) -> OutOfFold:
    """Judge every image by a calibration that was fitted on other groups.

    What `calibrate` gives is measured without flattery in that way.

    Args:
        is_fake: truth, shape ``(n,)``.
        raw_scores: the network's own fake scores 0..1, shape ``(n,)``.
        groups: group of each image, as many.
        error_rate: see `choose_band`.

    Raises:
        ValueError: a class has fewer than two groups, or the error rate is out of range.
    """
    keys = np.asarray(groups)
    fewest = min(len(np.unique(keys[is_fake == fake])) for fake in (False, True))
    if fewest < 2:
        raise DataError("", "a calibration needs at least two groups of each class")
    probability, threshold = np.zeros(len(keys)), np.zeros(len(keys))
    uncertain = np.zeros(len(keys), bool)
    folds = StratifiedGroupKFold(min(_FOLDS, fewest), shuffle=True, random_state=0)
    for rest, held_out in folds.split(keys, is_fake, keys):
        calibration, limit, (low, high) = _fit(is_fake[rest], raw_scores[rest], error_rate)
        scores = calibration.apply(raw_scores[held_out])
        probability[held_out], threshold[held_out] = scores, limit
        uncertain[held_out] = (scores >= low) & (scores < high)
    return OutOfFold(is_fake, probability, threshold, uncertain)


def _fit(is_fake: Bools, raw_scores: Floats, error_rate: float) -> tuple[Calibration, float, Band]:
    calibration = fit_calibration(is_fake, raw_scores)
    calibrated = calibration.apply(raw_scores)
    threshold = choose_threshold(is_fake, calibrated)
    return calibration, threshold, choose_band(is_fake, calibrated, threshold, error_rate)


def _count(is_fake: Bools) -> tuple[int, int]:
    fakes = int(is_fake.sum())
    if fakes in (0, len(is_fake)):
        raise DataError("", "a calibration needs images of both classes")
    return fakes, len(is_fake) - fakes


def _gaps(scores: Floats) -> Floats:
    """Middles between neighbouring scores, one below the lowest and one above the highest."""
    edges = np.unique(np.concatenate([[0.0], scores, [1.0]]))
    middles: Floats = (edges[:-1] + edges[1:]) / 2
    return np.where(middles > edges[:-1], middles, edges[1:])
