import numpy as np
import pytest

from mesonet.images.augmentation import DEFAULTS, Augmentation


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)


def test_nothing_asked_changes_nothing(picture):
    assert np.array_equal(Augmentation()(picture, np.random.default_rng(0)), picture)


def test_defaults_change_the_picture_but_not_the_argument(picture):
    before = picture.copy()
    changed = Augmentation.from_options(True)(picture, np.random.default_rng(0))
    assert changed.shape == picture.shape
    assert changed.dtype == np.uint8
    assert not np.array_equal(changed, picture)
    assert np.array_equal(picture, before)


def test_same_seed_same_change(picture):
    augment = Augmentation.from_options(True)
    first, second = (augment(picture, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)


def test_horizontal_flip_mirrors_half_of_the_time(picture):
    flip = Augmentation(horizontal_flip=True)
    results = [flip(picture, np.random.default_rng(seed)) for seed in range(200)]
    mirrored = sum(np.array_equal(result, picture[:, ::-1]) for result in results)
    untouched = sum(np.array_equal(result, picture) for result in results)
    assert mirrored + untouched == 200
    assert 70 < mirrored < 130


def test_channel_shift_is_one_shift_for_all_channels():
    grey = np.full((8, 8, 3), 100, np.uint8)
    shift = Augmentation(channel_shift_range=30)
    values = {int(shift(grey, np.random.default_rng(s))[0, 0, 0]) for s in range(100)}
    assert min(values) >= 70
    assert max(values) <= 130
    assert len(values) > 20


def test_brightness_multiplies_within_its_range():
    grey = np.full((8, 8, 3), 100, np.uint8)
    change = Augmentation(brightness_range=(0.8, 1.2))
    values = [int(change(grey, np.random.default_rng(s))[0, 0, 0]) for s in range(100)]
    assert 80 <= min(values) < 85
    assert 115 < max(values) <= 120


def test_zoom_keeps_the_middle_and_rotation_turns():
    dot = np.zeros((41, 41, 3), np.uint8)
    dot[20, 20] = 255
    zoomed = Augmentation(zoom_range=0.2)(dot, np.random.default_rng(1))
    assert zoomed[20, 20].min() > 150
    bar = np.zeros((41, 41, 3), np.uint8)
    bar[20] = 255
    turned = Augmentation(rotation_range=45)(bar, np.random.default_rng(2))
    assert not np.array_equal(turned, bar)


def test_defaults_win_over_extra_ones_unless_switched_off():
    extra = {"rotation_range": 40, "vertical_flip": True}
    both = Augmentation.from_options(True, extra)
    assert both.rotation_range == DEFAULTS["rotation_range"]
    assert both.vertical_flip
    assert Augmentation.from_options(False, extra) == Augmentation(**extra)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="unknown augmentation rotation; known are .*rotation_"):
        Augmentation.from_options(True, {"rotation": 3})
    with pytest.raises(ValueError, match="fill_mode"):
        Augmentation(fill_mode="mirror")
