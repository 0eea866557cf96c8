import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesonet.model_info import Calibration, ModelInfo
from mesonet.preprocessing import Preprocessing

CALIBRATED = ModelInfo(
    "meso4",
    Preprocessing(64, "bilinear", "symmetric"),
    ("fake", "real"),
    0.3,
    Calibration(1.5, -0.25),
    (0.2, 0.45),
    0.05,
)


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


@pytest.mark.parametrize("info", [CALIBRATED, ModelInfo()])
def test_info_survives_the_journey_through_json(info):
    assert ModelInfo.from_dict(json.loads(json.dumps(info.to_dict()))) == info


def test_descriptions_from_before_there_were_calibrations():
    values = CALIBRATED.to_dict()
    for name in ("calibration", "band", "error_rate"):
        del values[name]
    info = ModelInfo.from_dict(values)
    assert (info.calibration, info.band, info.error_rate) == (None, None, None)
    scores = np.array([0.0, 0.3, 1.0], np.float32)
    assert info.calibrated(scores).tolist() == scores.tolist()


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 2},
        {"threshold": "x"},
        {"class_names": ["a"]},
        {"class_names": 3},
        {"preprocessing": {"size": 64, "code": 1}},
        {"architecture": 7},
        {"calibration": {"temperature": 0, "bias": 0}},
        {"calibration": {"temperature": -1, "bias": 0}},
        {"calibration": {"temperature": float("inf"), "bias": 0}},
        {"calibration": {"temperature": 1, "bias": float("nan")}},
        {"calibration": {"temperature": "1", "bias": 0}},
        {"calibration": {"temperature": 1}},
        {"calibration": {"temperature": 1, "bias": 0, "code": 1}},
        {"calibration": {}},
        {"calibration": 3},
        {"band": [0.6, 0.7]},
        {"band": [0.2, 0.4]},
        {"band": [0.7, 0.2]},
        {"band": [-0.1, 0.7]},
        {"band": [0.2, 1.1]},
        {"band": [0.2, float("nan")]},
        {"band": [0.2, 0.5, 0.8]},
        {"band": ["x", 0.7]},
        {"band": 0.5},
        {"error_rate": 1.5},
        {"error_rate": "x"},
        {"error_rate": [0.1]},
    ],
)
def test_broken_descriptions_are_refused(change):
    with pytest.raises(ValueError):
        ModelInfo.from_dict(ModelInfo().to_dict() | change)


def test_real_class_by_name_else_the_last():
    assert ModelInfo(class_names=("df", "real")).real_class == 1
    assert ModelInfo(class_names=("authentic", "forged")).real_class == 0
    assert ModelInfo(class_names=("a", "b")).real_class == 1


@pytest.mark.parametrize(("names", "raw"), [(("df", "real"), 0.1), (("authentic", "df"), 0.9)])
def test_the_raw_score_speaks_of_manipulation(names, raw):
    info = ModelInfo(class_names=names)
    assert info.raw_score(np.array([0.9])) == pytest.approx([raw])


def test_calibration_moves_and_stretches_the_log_odds():
    raw = np.array([0.1, 0.5, 0.9])
    assert Calibration(1, 0).apply(raw) == pytest.approx(raw)
    odds = (raw / (1 - raw) * np.e) ** 0.5
    assert Calibration(2, 1).apply(raw) == pytest.approx(odds / (1 + odds))
    info = ModelInfo(calibration=Calibration(2, 1))
    assert info.calibrated(raw).tolist() == Calibration(2, 1).apply(raw).tolist()


@given(
    raw=st.lists(st.floats(0, 1, width=32), min_size=2),
    temperature=st.floats(1e-3, 1e3),
    bias=st.floats(-50, 50),
)
def test_calibration_keeps_the_order_and_is_never_sure(raw, temperature, bias):
    calibrated = Calibration(temperature, bias).apply(np.sort(np.array(raw, np.float32)))
    assert (np.diff(calibrated) >= 0).all()
    assert (calibrated > 0).all()
    assert (calibrated < 1).all()
