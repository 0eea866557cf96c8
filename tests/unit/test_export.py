import numpy as np
import pytest

from mesonet.architectures import create_model
from mesonet.backend import keras
from mesonet.export import export_model
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing
from mesonet.runtime import keras_runtime, onnx_runtime


@pytest.fixture
def detector(tmp_path):
    keras.utils.set_random_seed(0)
    path = tmp_path / "detector.keras"
    save_model(create_model("mesoinception4"), path, ModelInfo("mesoinception4", threshold=0.4))
    return path


def images(size):
    return np.random.default_rng(0).random((3, size, size, 3), np.float32)


def test_half_a_keras_file_holds_the_same_detector(detector, tmp_path):
    half = tmp_path / "half.keras"
    export_model(detector, half, half=True)
    assert half.stat().st_size < 0.75 * detector.stat().st_size
    network, info = load_model(detector)
    rounded, same = load_model(half)
    assert same == info
    for exact, value in zip(network.get_weights(), rounded.get_weights(), strict=True):
        assert value.dtype == np.float32
        assert np.array_equal(value, np.float16(exact))
    x = images(info.preprocessing.size)
    assert np.allclose(rounded(x), network(x), atol=0.005)


@pytest.mark.slow
def test_half_an_onnx_file_gives_nearly_the_same_scores(detector, tmp_path):
    pytest.importorskip("tf2onnx")
    whole, half = tmp_path / "whole.onnx", tmp_path / "half.onnx"
    export_model(detector, whole)
    export_model(detector, half, half=True)
    assert half.stat().st_size < 0.75 * whole.stat().st_size
    x = images(256)
    scores = onnx_runtime(half)(x)
    assert np.allclose(scores, onnx_runtime(whole)(x), atol=0.005)
    assert not np.array_equal(scores, onnx_runtime(whole)(x))


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["keras", "onnx"])
def test_values_that_16_bits_cannot_hold_stay_as_they_are(tmp_path, ending):
    if ending == "onnx":
        pytest.importorskip("tf2onnx")
    ip = keras.Input((8, 8, 3))
    layer = keras.layers.GlobalAveragePooling2D()(ip)
    large, small = map(keras.initializers.Constant, (1e5, 2**-19))
    layer = keras.layers.Dense(4, kernel_initializer=large)(layer)
    layer = keras.layers.Dense(1, "sigmoid", kernel_initializer=small)(layer)
    network = keras.Model(ip, layer)
    detector, half = tmp_path / "detector.keras", tmp_path / f"half.{ending}"
    save_model(network, detector, ModelInfo(None, Preprocessing(8)))
    export_model(detector, half, half=True)
    read = onnx_runtime if ending == "onnx" else lambda path: keras_runtime(load_model(path)[0])
    x = images(8)
    assert np.allclose(read(half)(x), network.predict(x, verbose=0)[:, 0], atol=1e-5)


def test_other_files_cannot_be_halved(detector, tmp_path):
    with pytest.raises(ValueError, match=r"half the size end in \.keras or \.onnx"):
        export_model(detector, tmp_path / "half.h5", half=True)
    assert not (tmp_path / "half.h5").exists()
