import io

import numpy as np
import pytest
from PIL import Image

from mesonet.images.perturbations import FAMILIES

ALL = [step for family in FAMILIES.values() for step in family.perturbations]


@pytest.fixture
def picture():
    """Soft blobs with a little grain, so that there is detail to lose."""
    rng = np.random.default_rng(0)
    blobs = Image.fromarray(rng.integers(60, 190, (8, 6, 3), dtype=np.uint8)).resize((48, 64), 3)
    grain = rng.integers(-20, 20, (64, 48, 3))
    return np.clip(np.asarray(blobs) + grain, 0, 255).astype(np.uint8)


def difference(one, other):
    return np.abs(one.astype(int) - other.astype(int)).mean()


def test_the_grid_is_the_published_one():
    levels = {
        name: [step.level if step else None for step in family.scale]
        for name, family in FAMILIES.items()
    }
    assert levels == {
        "jpeg": [None, 100, 80, 60, 50, 40, 20, 10],
        "blur": [None, 0.5, 1, 1.5, 2, 3],
        "resize nearest": [None, 0.5, 0.25],
        "resize bilinear": [None, 0.5, 0.25],
        "resize bicubic": [None, 0.5, 0.25],
        "resize lanczos": [None, 0.5, 0.25],
        "noise": [None, 0.01, 0.03, 0.05, 0.1],
        "brightness": [0.6, 0.8, None, 1.2, 1.4],
        "screenshot": [None, 1],
    }
    assert len({step.name for step in ALL}) == len(ALL)


@pytest.mark.parametrize("step", ALL, ids=lambda step: step.name)
def test_a_change_is_always_the_same_and_leaves_its_input_alone(step, picture):
    before = picture.copy()
    once, twice = step.apply(picture), step.apply(picture)
    assert once.dtype == np.uint8
    assert once.ndim == 3
    assert once.shape == (48, 36, 3) if step.family == "screenshot" else once.shape == picture.shape
    assert np.array_equal(once, twice)
    assert np.array_equal(picture, before)
    assert not np.array_equal(once, picture)


@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "screenshot"])
def test_further_along_the_scale_more_is_changed(family, picture):
    scale = FAMILIES[family].scale
    middle = scale.index(None)
    for steps in (scale[middle + 1 :], scale[:middle][::-1]):
        distances = [difference(step.apply(picture), picture) for step in steps]
        assert distances == sorted(distances)


def test_jpeg_is_pillow_s(picture):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=50)
    (step,) = (step for step in ALL if step.name == "jpeg 50")
    assert np.array_equal(step.apply(picture), np.asarray(Image.open(buffer)))


def test_levels_mean_what_they_say():
    grey = np.full((200, 200, 3), 100, np.uint8)
    by_name = {step.name: step.apply for step in ALL}
    noisy = by_name["noise 0.05"](grey).astype(float)
    assert noisy.mean() == pytest.approx(100, abs=0.5)
    assert noisy.std() == pytest.approx(0.05 * 255, rel=0.02)
    assert (by_name["brightness 1.2"](grey) == 120).all()
    assert (by_name["brightness 1.4"](grey + 100) == 255).all()
    assert (by_name["brightness 0.6"](grey) == 60).all()
    edge = np.zeros((41, 41, 3), np.uint8)
    edge[:, 21:] = 255
    slope = np.diff(by_name["blur 2"](edge)[20, :, 0].astype(float))
    variance = slope @ (np.arange(40) - 20.0) ** 2 / slope.sum()
    assert variance == pytest.approx(2**2, rel=0.05)


@pytest.mark.parametrize("step", ALL, ids=lambda step: step.name)
def test_a_single_pixel_survives(step):
    assert step.apply(np.full((1, 1, 3), 90, np.uint8)).shape == (1, 1, 3)
