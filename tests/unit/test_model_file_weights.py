"""Files that hold weights only: which architecture they are of."""

import h5py
import numpy as np
import pytest
from tests.keras_networks import PARAMETERS, network

from mesonet import architectures
from mesonet.architectures import create_model
from mesonet.errors import ModelFileError
from mesonet.model_file import load_model


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
@pytest.mark.parametrize("architecture", PARAMETERS)
def test_weights_find_their_architecture(tmp_path, suffix, architecture):
    model, path = create_model(architecture), tmp_path / f"w{suffix}"
    if suffix == ".h5":
        write_legacy_weights(path, model)
    else:
        model.save_weights(path)
    loaded, info = load_model(path)
    assert info.architecture == architecture
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert load_model(path, architecture)[1].architecture == architecture


def write_legacy_weights(path, model):
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([item.name.encode() for item in model.layers])
        for item in model.layers:
            names = [f"{item.name}/{weight.name}:0".encode() for weight in item.weights]
            group = file.create_group(item.name)
            group.attrs["weight_names"] = np.array(names)
            for name, value in zip(names, item.get_weights(), strict=True):
                group[name] = value


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "w.weights.h5"
    network().save_weights(path)
    with pytest.raises(ModelFileError) as caught:
        load_model(path)
    assert "holds weights of 129 values in 4 arrays, which do not fit: " in caught.value.reason
    assert "meso4 has 28,073 values in 28 arrays" in caught.value.reason
    assert "mesoinception4 has 28,725 values in 52 arrays" in caught.value.reason


def test_weights_of_another_architecture_are_refused(tmp_path):
    path = tmp_path / "w.weights.h5"
    create_model("meso4").save_weights(path)
    with pytest.raises(ModelFileError, match="do not fit: mesoinception4 has 28,725 values"):
        load_model(path, "mesoinception4")
    with pytest.raises(ValueError, match="there is no architecture 'vgg'"):
        load_model(path, "vgg")


def test_weights_that_fit_two_architectures_need_a_name(tmp_path, monkeypatch):
    path = tmp_path / "w.weights.h5"
    create_model("meso4").save_weights(path)
    twin = architectures.get_architecture("meso4")
    monkeypatch.setitem(architectures._REGISTRY, "twin", twin)
    with pytest.raises(ModelFileError, match="fit meso4 and twin; say which it is"):
        load_model(path)
    assert load_model(path, "twin")[1].architecture == "twin"


def test_weights_in_another_order_are_refused(tmp_path):
    model, path = create_model("meso4"), tmp_path / "w.h5"
    write_legacy_weights(path, model)
    with h5py.File(path, "r+") as file:
        file.attrs["layer_names"] = file.attrs["layer_names"][::-1]
    with pytest.raises(ModelFileError, match="cannot be loaded by Keras: "):
        load_model(path)
