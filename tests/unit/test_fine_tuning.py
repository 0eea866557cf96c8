import numpy as np
import pytest

from mesonet.architectures import create_model
from mesonet.backend import keras
from mesonet.transfer.fine_tuning import fold_batch_norm, freeze


def _randomize(model: keras.Model) -> None:
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])


@pytest.mark.parametrize("name", ["efficientnet_lite0", "mnasnet0_5", "mobilenet_v2"])
def test_a_folded_network_computes_the_same_without_normalisation(name: str) -> None:
    model = create_model(name, 64)
    _randomize(model)
    folded = fold_batch_norm(model)
    images = np.random.default_rng(1).random((2, 64, 64, 3), np.float32)
    features = [keras.Model(m.input, m.layers[-3].output) for m in (model, folded)]
    expected, found = (np.asarray(f.predict_on_batch(images)) for f in features)
    assert np.ptp(expected) > 0
    assert np.allclose(expected, found, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    assert folded.name == model.name


def test_normalisation_behind_an_activation_stays() -> None:
    model = create_model("meso4", 32)
    _randomize(model)
    folded = fold_batch_norm(model)
    images = np.random.default_rng(1).random((2, 32, 32, 3), np.float32)
    assert [type(layer) for layer in folded.layers] == [type(layer) for layer in model.layers]
    assert np.array_equal(model.predict_on_batch(images), folded.predict_on_batch(images))


def test_the_first_layers_are_kept() -> None:
    model = create_model("efficientnet_lite0", 32)
    freeze(model, "blocks_3")
    layers = {layer.name: layer for layer in model.layers}
    assert not layers["conv_stem"].trainable
    assert not layers["blocks_2_project_conv"].trainable
    assert layers["blocks_3_expand_conv"].trainable
    assert layers["head"].trainable


def test_training_leaves_kept_layers_as_they_are() -> None:
    model = create_model("efficientnet_lite0", 32)
    freeze(model, "blocks_15")
    before = {layer.name: layer.get_weights() for layer in model.layers}
    model.compile("adam", "binary_crossentropy")
    model.train_on_batch(np.random.default_rng(0).random((2, 32, 32, 3)), np.array([0.0, 1.0]))
    for layer in model.layers:
        if layer.weights:
            same = all(map(np.array_equal, before[layer.name], layer.get_weights()))
            assert same == (not layer.trainable), layer.name


def test_an_unknown_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="blocks_99"):
        freeze(create_model("meso4", 32), "blocks_99")
