import numpy as np
import pytest

from mesonet.architectures import create_model
from mesonet.training.fine_tuning import freeze


def test_the_first_layers_are_kept() -> None:
    model = create_model("efficientnet_lite0", 32)
    freeze(model, "blocks_3")
    layers = {layer.name: layer for layer in model.layers}
    assert not layers["conv_stem"].trainable
    assert not layers["blocks_2_project_conv"].trainable
    assert not layers["blocks_2_bn2"].trainable
    assert layers["blocks_3_expand_conv"].trainable
    assert layers["blocks_3_bn0"].trainable
    assert layers["blocks_3_bn0"].momentum == 0.97
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
