import numpy as np
import pytest

from mesonet.architectures import create_model, get_architecture, list_architectures


@pytest.mark.parametrize(
    ("name", "parameters", "trainable"),
    [("meso4", 28_073, 27_977), ("mesoinception4", 28_725, 28_615)],
)
def test_published_networks_have_the_published_size(name, parameters, trainable):
    model = create_model(name)
    assert model.count_params() == parameters
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == trainable
    assert model.input_shape == (None, 256, 256, 3)
    assert model.output_shape == (None, 1)


def test_inception_branches_are_dilated_by_one_two_three():
    model = create_model("mesoinception4")
    dilations = [
        layer.dilation_rate[0]
        for layer in model.layers
        if "conv2d" in layer.name and layer.kernel_size == (3, 3)
    ]
    assert sorted(dilations) == [1, 1, 2, 2, 3, 3]


def test_registry_lists_and_builds_with_options():
    assert {"meso4", "mesoinception4"} <= set(list_architectures())
    model = create_model("meso4", 64, dropout=0.2)
    assert model.input_shape == (None, 64, 64, 3)
    assert {layer.rate for layer in model.layers if "dropout" in layer.name} == {0.2}


def test_unknown_architecture_names_the_known_ones():
    with pytest.raises(ValueError, match="no architecture 'meso5'; known are .*meso4"):
        get_architecture("meso5")
