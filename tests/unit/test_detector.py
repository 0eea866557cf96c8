import numpy as np
import pytest
from tests.images import write_picture

from mesonet.backend import keras
from mesonet.detector import Detector, Failure, Verdict
from mesonet.model_file import load_model
from mesonet.model_safety import ModelFileError
from mesonet.preprocessing import ModelInfo, Preprocessing
from mesonet.runtime import keras_runtime


@pytest.fixture(scope="module")
def detector(tiny_model):
    return Detector.load(tiny_model)


@pytest.fixture
def pictures(tmp_path):
    return [write_picture(tmp_path / f"{n:03}.png", n) for n in range(30)]


def test_verdicts_come_in_order_and_equal_keras(detector, tiny_model, pictures):
    verdicts = list(detector.predict(pictures, batch_size=4))
    assert [v.path for v in verdicts] == [str(p) for p in pictures]
    model, info = load_model(tiny_model)
    from mesonet.imaging import load_image

    pixels = np.stack([load_image(p, info.preprocessing) for p in pictures])
    expected = 1 - model.predict(info.preprocessing.scale(pixels), verbose=0)[:, 0]
    assert np.allclose([v.fake_probability for v in verdicts], expected, atol=1e-5)


def test_bad_images_come_in_their_place(detector, pictures):
    pictures[7].write_bytes(b"broken")
    results = list(detector.predict([*pictures, "missing.png"], batch_size=4))
    assert len(results) == 31
    assert [n for n, r in enumerate(results) if isinstance(r, Failure)] == [7, 30]
    assert results[7].path == str(pictures[7])
    assert results[30].to_dict()["error"] == "no such file or directory"


def test_bytes_and_arrays_are_images_too(detector, pictures):
    from PIL import Image

    array = np.asarray(Image.open(pictures[0]))
    from_file, from_bytes, from_array = detector.predict(
        [pictures[0], pictures[0].read_bytes(), array]
    )
    assert from_bytes.path == "image 2"
    assert from_file.fake_probability == from_bytes.fake_probability
    assert from_file.fake_probability == from_array.fake_probability


def test_threshold_belongs_to_the_label(detector, pictures):
    verdict = next(detector.predict(pictures, threshold=0.0))
    assert verdict.label == "deepfake"
    assert verdict.probability == verdict.fake_probability
    verdict = next(detector.predict(pictures, threshold=1.0))
    assert verdict.label == "real"
    assert verdict.probability == pytest.approx(1 - verdict.fake_probability)
    with pytest.raises(ValueError, match="threshold"):
        next(detector.predict(pictures, threshold=1.5))


def test_the_model_is_fed_and_read_the_way_it_was_trained(pictures):
    """A class order where class 1 is forged turns the score round."""
    ip = keras.Input((16, 16, 3))
    mean = keras.layers.GlobalAveragePooling2D()(ip)
    model = keras.Model(ip, keras.layers.Dense(1, activation="sigmoid")(mean))
    runtime = keras_runtime(model)
    results = {}
    for names in (("fake", "real"), ("authentic", "forged")):
        info = ModelInfo(None, Preprocessing(16, "bilinear", "symmetric"), names)
        detector = Detector("m", info, runtime, model_path=pictures[0])
        results[names] = next(detector.predict(pictures)).fake_probability
    assert sum(results.values()) == pytest.approx(1)


def test_a_verdict_as_plain_types():
    assert Verdict("a.png", 0.75, 0.5, "meso4").to_dict() == {
        "path": "a.png",
        "label": "deepfake",
        "probability": 0.75,
        "fake_probability": 0.75,
        "model": "meso4",
        "threshold": 0.5,
    }


def test_stopping_early_leaves_no_threads(detector, pictures):
    import threading

    before = threading.active_count()
    verdicts = detector.predict(pictures, batch_size=1)
    next(verdicts)
    verdicts.close()
    assert threading.active_count() == before


def test_unknown_model_is_named():
    with pytest.raises(ModelFileError, match="meso99"):
        Detector.load("meso99")


def test_keras_runs_what_openvino_does_not_take(tiny_model, monkeypatch):
    import openvino

    model, _ = load_model(tiny_model)
    x = np.random.default_rng(0).random((3, 32, 32, 3), np.float32)
    expected = keras_runtime(model)(x)

    def refuse(*_):
        raise RuntimeError("cannot convert")

    monkeypatch.setattr(openvino, "convert_model", refuse)
    scores = keras_runtime(model)(x)
    assert scores.shape == (3,)
    assert np.allclose(scores, expected, atol=1e-5)
