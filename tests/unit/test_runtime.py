from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import numpy as np
import pytest

from mesonet.architectures import create_model
from mesonet.backend import keras
from mesonet.preprocessing import Preprocessing, Scaling
from mesonet.runtime import keras_runtime

SIZE = 48
rng = np.random.default_rng(0)


@pytest.fixture(scope="module", params=["meso4", "mesoinception4"])
def network(request):
    """A network with weights as if trained and without its sigmoid, which hides differences."""
    keras.utils.set_random_seed(0)
    network = create_model(request.param, SIZE)
    network.set_weights([w + rng.uniform(0, 0.2, w.shape) for w in network.get_weights()])
    network.layers[-1].activation = keras.activations.linear
    return network


@pytest.fixture(scope="module")
def runtime(network):
    return keras_runtime(network)


@pytest.fixture
def openvino_only(monkeypatch):
    def refuse(*_):
        raise AssertionError("Keras ran the network")

    monkeypatch.setattr(keras.Model, "predict_on_batch", refuse)


@pytest.mark.parametrize("scaling", get_args(Scaling))
def test_outputs_equal_keras(network, runtime, scaling, openvino_only):
    pixels = rng.integers(0, 256, (5, SIZE, SIZE, 3), np.uint8)
    images = Preprocessing(SIZE, "bilinear", scaling).scale(pixels)
    scores = runtime(images)
    assert scores.shape == (5,)
    assert scores.dtype == np.float32
    assert len(set(scores.tolist())) == 5
    assert np.allclose(scores, network(images).numpy()[:, 0], rtol=1e-5)


def test_an_image_scores_the_same_alone_and_in_other_memory(runtime):
    images = rng.random((3, SIZE, SIZE, 3), np.float32)
    scores = runtime(images)
    assert [runtime(image[None])[0] for image in images] == scores.tolist()
    assert np.array_equal(runtime(images[::-1]), scores[::-1])
    assert np.array_equal(runtime(np.asfortranarray(images)), scores)


def test_threads_do_not_mix_up_their_images(runtime):
    images = [rng.random((2, SIZE, SIZE, 3), np.float32) for _ in range(24)]
    alone = [runtime(pair).tolist() for pair in images]
    with ThreadPoolExecutor(4) as pool:
        assert [scores.tolist() for scores in pool.map(runtime, images)] == alone


def test_outputs_of_many_values_keep_their_shape(openvino_only):
    ip = keras.Input((SIZE, SIZE, 3))
    maps = keras.layers.Conv2D(2, 3)(ip)
    model = keras.Model(ip, keras.layers.Reshape((1, *maps.shape[1:]))(maps))
    images = rng.random((3, SIZE, SIZE, 3), np.float32)
    assert np.allclose(keras_runtime(model)(images), model(images).numpy()[:, 0], atol=1e-5)
