"""Limits and measured rates of the words, for faces and for clips."""

from dataclasses import replace

import numpy as np
import pytest

from mesonet.evaluation.words import choose_clip_words, choose_words, measure_words
from mesonet.model_info import Calibration, ModelInfo

FRAMES = 8


def videos(per_class, *, spread=1.0, between=1.0, seed=0):
    """Truth, raw scores and the clip's name of `FRAMES` frames of each of so many videos."""
    rng = np.random.default_rng(seed)
    fake = np.repeat([False, True], per_class)
    centers = np.where(fake, 1.5, -1.5) + rng.normal(0, between, len(fake))
    odds = centers[:, None] + rng.normal(0, spread, (len(fake), FRAMES))
    names = [f"v{number}" for number in range(len(fake))]
    raw = 1 / (1 + np.exp(-odds))
    return np.repeat(fake, FRAMES), raw.ravel(), np.repeat(names, FRAMES).tolist()


def test_words_accuse_as_few_real_faces_as_they_say():
    rng = np.random.default_rng(0)
    fake = np.repeat([False, True], 2000)
    probability = 1 / (1 + np.exp(-(rng.normal(0, 1, 4000) + np.where(fake, 2, -2))))
    words = choose_words(fake, probability, np.ones(4000))
    assert words.uncertain <= words.some <= words.strong
    assert words.real_shares[3] == pytest.approx(0.005, abs=0.001)
    assert sum(words.real_shares[2:]) == pytest.approx(0.02, abs=0.001)
    assert words.fake_shares[3] > 0.5
    assert (words.real, words.fake) == (2000, 2000)


def test_clips_are_measured_on_clips_of_other_groups():
    fake, raw, clips = videos(300)
    found = choose_clip_words(fake, raw, clips, clips, np.ones(len(raw)))
    assert (found.real, found.fake, found.unit) == (300, 300, "clips")
    assert 0 < found.uncertain <= found.some <= found.strong < 1
    assert found.real_shares[3] < 0.03
    assert sum(found.real_shares[2:]) == pytest.approx(0.02, abs=0.02)
    assert found.fake_shares[0] == pytest.approx(0.1, abs=0.05)


def test_few_clips_take_the_limits_of_faces_or_stricter_ones():
    fake, raw, clips = videos(40)
    weights = np.ones(len(raw))
    info = replace(ModelInfo(), calibration=Calibration(1.0, 0.0))
    faces = measure_words(info, fake, raw, clips).evidence
    found = choose_clip_words(fake, raw, clips, clips, weights)
    assert found.strong >= faces.strong - 0.02
    assert found.some >= faces.some - 0.02

    loud = raw.copy()
    loud[:FRAMES] = 0.999  # a real video that looks forged throughout
    stricter = choose_clip_words(fake, loud, clips, clips, weights)
    assert stricter.strong >= found.strong
    assert stricter.strong > 0.98


def test_where_there_are_no_clips_there_are_no_words_for_them():
    fake, raw, clips = videos(40)
    weights = np.ones(len(raw))
    singles = [f"{clip}-{number}" for number, clip in enumerate(clips)]
    assert choose_clip_words(fake, raw, singles, singles, weights) is None
    one = ["same"] * len(raw)
    assert choose_clip_words(fake, raw, clips, one, weights) is None
    few = np.concatenate([np.arange(4 * FRAMES), np.arange(320, 640)])
    chosen = [clips[index] for index in few]
    assert choose_clip_words(fake[few], raw[few], chosen, chosen, weights[few]) is None
    calibrated = replace(ModelInfo(), calibration=Calibration(1.0, 0.0))
    assert measure_words(calibrated, fake, raw, clips).clip_evidence is None
    assert measure_words(calibrated, fake[few], raw[few], chosen) == calibrated  # too few faces
