"""From which probability on each word is said, and how often it was said of validation data.

Limits are chosen by the shares of real ones that are accused and of forgeries that are missed. For
clips both are measured on whole videos: frames of one video are nearly the same picture, so their
rates say little about videos.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from mesonet.checking import ENOUGH_FACES, FRAMES, combine
from mesonet.evaluation.calibration import fit_calibration
from mesonet.evaluation.metrics import Bools, Floats
from mesonet.evidence import WORDS, Evidence, Shares
from mesonet.model_info import ModelInfo

ACCUSED_STRONGLY = 0.005
ACCUSED = 0.02
MISSED = 0.1

_FOLDS = 5
_FEWEST_CLIPS = 5

Limits = tuple[float, float, float]


def measure_words(
    info: ModelInfo,
    is_fake: Bools,
    raw_scores: Floats,
    groups: Sequence[str],
    clips: Sequence[str] | None = None,
    weights: Floats | None = None,
) -> ModelInfo:
    """Complete a calibrated description by words for faces and, where clips are named, for clips.

    Left as it is where there are too few images: 200 real ones, of which one may be accused
    strongly, and 10 manipulated ones.

    Args:
        info: the description of the model that gave the scores, with its calibration.
        is_fake: truth, shape ``(n,)``.
        raw_scores: the network's own fake scores 0..1, shape ``(n,)``.
        groups: group of each image; videos that have to do with each other share one.
        clips: name of the video of each image.
        weights: what each image counts within its class, shape ``(n,)``; by default the same.
    """
    fakes = int(is_fake.sum())
    if (len(is_fake) - fakes) * ACCUSED_STRONGLY < 1 or fakes * MISSED < 1:
        return info
    weights = np.ones(len(is_fake)) if weights is None else weights
    calibrated = np.asarray(info.calibrated(raw_scores), np.float64)
    info = replace(info, evidence=choose_words(is_fake, calibrated, weights))
    if clips is None:
        return info
    of_clips = choose_clip_words(is_fake, raw_scores, clips, groups, weights)
    return replace(info, clip_evidence=of_clips)


def choose_words(is_fake: Bools, probability: Floats, weights: Floats) -> Evidence:
    """The limits of the words for single faces, with their rates.

    Args:
        is_fake: truth, shape ``(n,)``.
        probability: calibrated, shape ``(n,)``.
        weights: what each counts within its class, shape ``(n,)``.
    """
    limits = _choose(is_fake, probability, weights)
    words = _words(probability, limits)
    return _evidence(limits, is_fake, words, weights, "faces")


def choose_clip_words(
    is_fake: Bools,
    raw_scores: Floats,
    clips: Sequence[str],
    groups: Sequence[str],
    weights: Floats,
) -> Evidence | None:
    """The limits of the words for a person in a clip, with rates by leave-groups-out.

    The score of a clip is that of `mesonet check`: the trimmed mean of the calibrated log odds of
    its frames, of 32 at most. A share that is smaller than one of the clips there are cannot be
    measured on them; then the limit is that for faces, or a stricter one where a clip asks for it.
    The rates are of clips whose group had no part in calibration and limits.

    Args:
        is_fake: truth of each image, shape ``(n,)``.
        raw_scores: the network's own fake scores 0..1, shape ``(n,)``.
        clips: name of the video of each image; videos of fewer than three images are no clips.
        groups: group of each image; videos that have to do with each other share one.
        weights: what each image counts within its class for the calibration, shape ``(n,)``.

    Returns:
        None where a class has fewer than five clips, or clips of fewer than two groups.
    """
    keys = np.asarray(groups)
    videos = _videos(is_fake, clips)
    truth = np.array([is_fake[frames[0]] for frames in videos], bool)
    homes = np.array([keys[frames[0]] for frames in videos])
    fewest = min(len(np.unique(homes[truth == fake])) for fake in (False, True))
    if min(truth.sum(), (~truth).sum()) < _FEWEST_CLIPS or fewest < 2:
        return None

    def fit(images: Bools) -> tuple[Limits, Floats]:
        """Limits by these images, and what their calibration makes of every clip."""
        repeats = np.round(weights[images] / weights[images].min()).astype(int)
        calibration = fit_calibration(
            np.repeat(is_fake[images], repeats), np.repeat(raw_scores[images], repeats)
        )
        calibrated = np.asarray(calibration.apply(raw_scores), np.float64)
        scores = np.array([combine(calibrated[frames].tolist()) for frames in videos])
        inside = np.array([images[frames[0]] for frames in videos])
        faces = _choose(is_fake[images], calibrated[images], weights[images])
        return _for_clips(truth[inside], scores[inside], faces), scores

    words = np.zeros(len(videos), int)
    folds = StratifiedGroupKFold(min(_FOLDS, fewest), shuffle=True, random_state=0)
    for _, held_out in folds.split(videos, truth, homes):
        limits, scores = fit(~np.isin(keys, homes[held_out]))
        words[held_out] = _words(scores[held_out], limits)
    limits, _ = fit(np.ones(len(is_fake), bool))
    return _evidence(limits, truth, words, np.ones(len(videos)), "clips")


def _videos(is_fake: Bools, clips: Sequence[str]) -> list[NDArray[np.intp]]:
    """Indices of up to 32 images of each video, evenly over them."""
    _, numbers = np.unique(
        [f"{fake}/{clip}" for fake, clip in zip(is_fake, clips, strict=True)], return_inverse=True
    )
    videos = []
    for number in range(numbers.max() + 1):
        frames = np.flatnonzero(numbers == number)
        if len(frames) >= ENOUGH_FACES:
            chosen = np.linspace(0, len(frames) - 1, min(len(frames), FRAMES)).round().astype(int)
            videos.append(frames[chosen])
    return videos


def _choose(is_fake: Bools, probability: Floats, weights: Floats) -> Limits:
    strong, some = (
        _above(probability[~is_fake], weights[~is_fake], share)
        for share in (ACCUSED_STRONGLY, ACCUSED)
    )
    return min(_missed(probability[is_fake], weights[is_fake]), some), some, strong


def _for_clips(is_fake: Bools, scores: Floats, faces: Limits) -> Limits:
    """Limits for clips, which are those for faces where there are too few clips for a share."""
    ones = np.ones(len(scores))
    real, fake = int((~is_fake).sum()), int(is_fake.sum())
    uncertain, some, strong = _choose(is_fake, scores, ones)
    if real * ACCUSED_STRONGLY < 1:
        strong = max(strong, faces[2])
    if real * ACCUSED < 1:
        some = max(some, faces[1])
    if fake * MISSED < 1:
        uncertain = min(uncertain, faces[0])
    return min(uncertain, some), some, max(some, strong)


def _above(probability: Floats, weights: Floats, share: float) -> float:
    """Just above the lowest probability that this share of the weights reaches at most."""
    order = np.argsort(probability)[::-1]
    reached = np.cumsum(weights[order]) / weights.sum() > share
    return min(float(probability[order][np.argmax(reached)]) + 1e-6, 1.0)


def _missed(probability: Floats, weights: Floats) -> float:
    """Below it lie `MISSED` of the weights at most."""
    order = np.argsort(probability)
    below = np.cumsum(weights[order]) / weights.sum() > MISSED
    return float(probability[order][np.argmax(below)])


def _words(probability: Floats, limits: Limits) -> NDArray[np.intp]:
    """Which of `WORDS` is said of each."""
    return np.searchsorted(limits, probability, side="right")


def _evidence(
    limits: Limits, is_fake: Bools, words: NDArray[np.intp], weights: Floats, unit: str
) -> Evidence:
    def shares(chosen: Bools) -> Shares:
        counts = np.bincount(words[chosen], weights[chosen], len(WORDS))
        first, second, third, fourth = (counts / counts.sum()).round(3).tolist()
        return first, second, third, fourth

    uncertain, some, strong = (round(limit, 4) for limit in limits)
    return Evidence(
        uncertain=uncertain,
        some=some,
        strong=strong,
        real_shares=shares(~is_fake),
        fake_shares=shares(is_fake),
        real=int((~is_fake).sum()),
        fake=int(is_fake.sum()),
        unit=unit,
    )
