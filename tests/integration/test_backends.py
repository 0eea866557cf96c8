"""Build, train a step, predict, load the reference weights: on the backend KERAS_BACKEND names."""

import numpy as np
import pytest

from mesonet.architectures import create_model
from mesonet.backend import keras
from mesonet.detector import Detector
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing

pytestmark = pytest.mark.slow

# Probabilities of class 1 for the images of `picture`, computed once on TensorFlow.
EXPECTED = {
    "Meso4_DF.h5": [0.347421, 0.119368, 0.797051, 0.762155],
    "MesoInception_DF.h5": [0.001206, 0.391592, 0.723157, 0.464419],
}


def pictures(size, count=4):
    """Smooth colour gradients: the same numbers on every machine."""
    y, x = np.mgrid[0:size, 0:size] / size
    images = [
        np.stack([0.5 + 0.5 * np.sin((n + 1) * (k + 2) * x + n * y) for k in range(3)], axis=-1)
        for n in range(count)
    ]
    return np.stack(images).astype(np.float32)


@pytest.mark.parametrize("name", ["meso4", "mesoinception4"])
def test_build_train_save_load_predict(name, tmp_path):
    keras.utils.set_random_seed(0)
    model = create_model(name, 32)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    x, y = pictures(32), np.array([0, 1, 0, 1], np.float32)
    before = [np.array(w) for w in model.get_weights()]
    assert np.isfinite(model.train_on_batch(x, y)).all()
    assert any((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
    path = tmp_path / "model.keras"
    save_model(model, path, ModelInfo(name, Preprocessing(32)))
    probabilities = model.predict(x, verbose=0)[:, 0]
    loaded, info = load_model(path)
    assert info.preprocessing.size == 32
    assert np.allclose(loaded.predict(x, verbose=0)[:, 0], probabilities, atol=1e-5)
    detector = Detector.load(path)
    assert np.allclose(detector.fake_probabilities(x), 1 - probabilities, atol=1e-5)


@pytest.mark.parametrize("name", EXPECTED)
def test_reference_weights_give_the_same_probabilities(name, shared):
    model, _ = load_model(shared / "weights" / name)
    probabilities = model.predict(pictures(256), verbose=0)[:, 0]
    assert np.allclose(probabilities, EXPECTED[name], atol=1e-4)
