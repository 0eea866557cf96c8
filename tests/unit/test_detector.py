from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tests.images import write_picture

from mesonet.backend import keras
from mesonet.detector import Detector, Failure, Verdict
from mesonet.errors import ModelFileError
from mesonet.model_file import load_model
from mesonet.model_info import Calibration, ModelInfo
from mesonet.preprocessing import Preprocessing
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
    from mesonet.images.reading import load_image

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


def test_open_files_and_images_of_pillow_are_images_too(detector, pictures, tmp_path):
    from PIL import ExifTags, Image

    upright = Image.open(pictures[0])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    turned = tmp_path / "turned.png"
    upright.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    with pictures[0].open("rb") as file:
        verdicts = detector.score([pictures[0], file, upright, Image.open(turned)])
    assert len({verdict.fake_probability for verdict in verdicts}) == 1
    assert [verdict.path for verdict in verdicts[:3]] == [str(pictures[0])] * 3
    grey, floats = detector.score([np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3))])
    assert grey.error == "uint8 array of shape (9, 9), not RGB pixels 0..255"
    assert floats.error == "float64 array of shape (9, 9, 3), not RGB pixels 0..255"


def test_limits_hold_for_every_kind_of_image(detector, pictures):
    from PIL import Image

    image = Image.open(pictures[0])
    sources = [pictures[0], pictures[0].read_bytes(), image, np.asarray(image)]
    for result in detector.score(sources, max_pixels=100):
        assert "more than the 100 allowed" in result.error
    for result in detector.score(sources[:2], max_bytes=10):
        assert result.error == "larger than the 10 bytes allowed"


def test_a_failure_is_told_from_a_verdict_by_its_attributes(detector, pictures):
    verdict, failure = detector.predict([pictures[0], "missing.png"])
    assert (verdict.ok, verdict.error) == (True, None)
    assert (failure.ok, failure.error) == (False, "no such file or directory")
    assert (failure.label, failure.probability, failure.fake_probability) == (None, None, None)
    assert failure.to_dict() == {"path": "missing.png", "error": failure.error}


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


def test_a_score_that_is_no_number_is_a_failure(pictures):
    runtime = lambda images: np.full(len(images), np.nan)  # noqa: E731
    detector = Detector("m", ModelInfo(None, Preprocessing(16)), runtime, model_path=pictures[0])
    result = next(detector.predict(pictures))
    assert isinstance(result, Failure)
    assert result.path == str(pictures[0])
    assert "no number" in result.error


def test_a_verdict_as_plain_types():
    assert Verdict("a.png", 0.75, 0.5, "meso4", 0.9).to_dict() == {
        "path": "a.png",
        "label": "deepfake",
        "probability": 0.75,
        "fake_probability": 0.75,
        "raw_score": 0.9,
        "model": "meso4",
        "threshold": 0.5,
        "band": None,
    }
    with_band = Verdict("a.png", 0.25, 0.5, "meso4", 0.1, (0.2, 0.6)).to_dict()
    assert (with_band["label"], with_band["band"]) == ("uncertain", [0.2, 0.6])


@pytest.mark.parametrize(
    ("score", "label", "probability", "called_fake"),
    [
        (0.19, "real", 0.81, False),
        (0.2, "uncertain", 0.8, False),
        (0.29, "uncertain", 0.71, False),
        (0.3, "uncertain", 0.7, True),
        (0.59, "uncertain", 0.59, True),
        (0.6, "deepfake", 0.6, True),
    ],
)
def test_the_band_has_its_first_end_and_not_its_second(score, label, probability, called_fake):
    verdict = Verdict("a.png", score, 0.3, "m", score, (0.2, 0.6))
    assert verdict.label == label
    assert verdict.probability == pytest.approx(probability)
    assert verdict.called_fake == called_fake


def test_a_band_of_no_width_leaves_nothing_uncertain():
    labels = [Verdict("a", s, 0.4, "m", s, (0.4, 0.4)).label for s in (0.39, 0.4, 0.41)]
    assert labels == ["real", "deepfake", "deepfake"]


def test_calibration_and_band_of_the_model(tiny_model, pictures):
    plain = Detector.load(tiny_model)
    raw = np.array([verdict.fake_probability for verdict in plain.predict(pictures)])
    calibration = Calibration(0.1, 0.2)
    expected = calibration.apply(raw)
    low, middle, high = np.quantile(expected, [0.3, 0.5, 0.7])
    detector = Detector.load(tiny_model)
    detector.info = replace(
        detector.info, calibration=calibration, threshold=middle, band=(low, high)
    )
    verdicts = list(detector.predict(pictures))
    assert [verdict.raw_score for verdict in verdicts] == raw.tolist()
    assert [verdict.fake_probability for verdict in verdicts] == pytest.approx(expected)
    counts = Counter(verdict.label for verdict in verdicts)
    assert counts == {"real": 9, "uncertain": 12, "deepfake": 9}
    prepared = np.stack([np.zeros((32, 32, 3), np.float32)])
    assert detector.fake_probabilities(prepared) == pytest.approx(
        calibration.apply(plain.fake_probabilities(prepared)), abs=1e-6
    )

    asked = list(detector.predict(pictures, threshold=middle))
    assert {verdict.label for verdict in asked} == {"real", "deepfake"}
    assert asked[0].band is None
    assert asked[0].fake_probability == verdicts[0].fake_probability


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
