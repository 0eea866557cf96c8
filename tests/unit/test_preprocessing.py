import numpy as np
import pytest

from mesonet.preprocessing import ModelInfo, Preprocessing


@pytest.mark.parametrize(
    ("scaling", "low", "high"), [("unit", 0, 1), ("symmetric", -1, 1), ("none", 0, 255)]
)
def test_scaling_ranges(scaling, low, high):
    pixels = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    scaled = Preprocessing(scaling=scaling).scale(pixels)
    assert scaled.dtype == np.float32
    assert scaled[0, 0].tolist() == pytest.approx([low] * 3)
    assert scaled[0, 1].tolist() == pytest.approx([high] * 3)


def test_imagenet_scaling_normalises_each_channel():
    mean = np.array([[[124, 116, 104]]], np.uint8)
    assert np.abs(Preprocessing(scaling="imagenet").scale(mean)).max() < 0.02


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"size": 10**6}, {"interpolation": "magic"}, {"scaling": "cubic"}]
)
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValueError):
        Preprocessing(**wrong)


def test_info_survives_the_journey_through_json():
    info = ModelInfo("meso4", Preprocessing(64, "bilinear", "symmetric"), ("fake", "real"), 0.3)
    assert ModelInfo.from_dict(info.to_dict()) == info


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 2},
        {"threshold": "x"},
        {"class_names": ["a"]},
        {"class_names": 3},
        {"preprocessing": {"size": 64, "code": 1}},
        {"architecture": 7},
    ],
)
def test_broken_descriptions_are_refused(change):
    with pytest.raises(ValueError):
        ModelInfo.from_dict(ModelInfo().to_dict() | change)


def test_real_class_by_name_else_the_last():
    assert ModelInfo(class_names=("df", "real")).real_class == 1
    assert ModelInfo(class_names=("authentic", "forged")).real_class == 0
    assert ModelInfo(class_names=("a", "b")).real_class == 1
