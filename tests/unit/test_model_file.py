import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.keras_networks import LAYERS, PARAMETERS, images, network, scores
from tests.small_models import SIZE, sequential, write_h5, write_keras

from mesonet.architectures import create_model
from mesonet.backend import keras
from mesonet.errors import ModelFileError
from mesonet.files import file_hash
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing

ROOT = Path(__file__).parents[2]
REFERENCE = {
    "Meso4_DF.h5": "meso4",
    "Meso4_F2F.h5": "meso4",
    "MesoInception_DF.h5": "mesoinception4",
    "MesoInception_F2F.h5": "mesoinception4",
    "model1_18epochs_valacc0.9252.hdf5": "meso4",
    "model2_17epochs_valacc0.89.hdf5": "meso4",
}


@pytest.mark.parametrize(("name", "architecture"), REFERENCE.items())
def test_reference_files_load(shared, name, architecture):
    model, info = load_model(shared / "weights" / name)
    assert info == ModelInfo(architecture)
    assert model.count_params() == PARAMETERS[architecture]
    found = scores(model, 256)
    assert found.shape == (2, 1)
    assert ((found >= 0) & (found <= 1)).all()
    assert not model.compiled


def test_branches_of_the_reference_inception_network_are_not_swapped(shared):
    path = shared / "weights" / "MesoInception_DF.h5"
    model, _ = load_model(path)
    dilated = [layer for layer in model.layers if layer.get_config().get("dilation_rate")]
    names = {
        1: ["conv2d_3", "conv2d_10"],
        2: ["conv2d_5", "conv2d_12"],
        3: ["conv2d_7", "conv2d_14"],
    }
    with h5py.File(path) as file:
        for dilation, expected in names.items():
            branch = [
                layer
                for layer in dilated
                if layer.dilation_rate == (dilation, dilation) and layer.kernel.shape[0] == 3
            ]
            for layer, name in zip(branch, expected, strict=True):
                kernel = keras.ops.convert_to_numpy(layer.kernel)
                np.testing.assert_array_equal(kernel, file[f"{name}/{name}/kernel:0"][:])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_reference_files_load_on_another_backend(shared, backend):
    pytest.importorskip(backend)
    script = f"""
import sys
from mesonet.model_file import load_model
for name in {list(REFERENCE)!r}:
    print(load_model(f"{shared}/weights/{{name}}")[1].architecture)
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"KERAS_BACKEND": backend},
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == list(REFERENCE.values())


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5", ".KERAS"])
def test_what_was_saved_is_loaded(tmp_path, suffix):
    info = ModelInfo("meso4", Preprocessing(SIZE, "bilinear", "symmetric"), ("real", "fake"), 0.25)
    model, path = network(), tmp_path / f"model{suffix}"
    save_model(model, path, info)
    loaded, found = load_model(path)
    assert found == info
    np.testing.assert_allclose(scores(loaded), scores(model), rtol=1e-6)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_compiled_model_keeps_its_optimizer(tmp_path, suffix, caplog):
    model = network()
    decay = keras.optimizers.schedules.ExponentialDecay(1e-3, 9, 0.5)
    model.compile(keras.optimizers.Adam(decay), "binary_crossentropy")
    model.train_on_batch(images(), np.zeros((2, 1)))
    save_model(model, tmp_path / f"m{suffix}", ModelInfo(preprocessing=Preprocessing(SIZE)))
    assert not caplog.records
    loaded, _ = load_model(tmp_path / f"m{suffix}")
    assert not loaded.compiled
    resumed = keras.saving.load_model(tmp_path / f"m{suffix}")
    assert int(resumed.optimizer.iterations) == 1


def test_other_names_are_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.keras, \.h5 or \.hdf5, not in '\.pb'"):
        save_model(network(), tmp_path / "model.pb", ModelInfo())
    assert not list(tmp_path.iterdir())


def test_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    path.write_bytes(b"old")
    model = network()

    def fail(name):
        Path(name).write_bytes(b"half")
        raise OSError("the disk is full")

    monkeypatch.setattr(model, "save", fail)
    with pytest.raises(OSError, match="the disk is full"):
        save_model(model, path, ModelInfo())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_hash_is_that_of_the_content(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert file_hash(tmp_path / "x").startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize("name", ["model.h5", "model.weights.h5", "model", "model.keras.png"])
def test_names_do_not_matter(tmp_path, name):
    write_keras(tmp_path / "a")
    write_h5(tmp_path / "b")
    for made in ("a", "b"):
        path = tmp_path / made / name
        data = (tmp_path / made).read_bytes()
        (tmp_path / made).unlink()
        path.parent.mkdir()
        path.write_bytes(data)
        model, info = load_model(path)
        assert scores(model).shape == (2, 1)
        assert info == ModelInfo(preprocessing=Preprocessing(SIZE))


def test_architecture_is_recognised_at_any_size(tmp_path):
    create_model("meso4", size=64, dropout=0.1).save(tmp_path / "m.keras")
    assert load_model(tmp_path / "m.keras")[1] == ModelInfo("meso4", Preprocessing(64))


def test_other_interfaces_are_refused(tmp_path):
    first, second = keras.Input((SIZE, SIZE, 3)), keras.Input((SIZE, SIZE, 3))
    score = LAYERS.Dense(1)(LAYERS.Flatten()(LAYERS.Add()([first, second])))
    any_size = keras.Input((None, None, 3))
    pooled = LAYERS.GlobalAveragePooling2D()(any_size)
    models = {
        "two": (keras.Model([first, second], score), "takes .*, not one square RGB image"),
        "grey": (network(channels=1), "takes .*, not one square RGB image"),
        "wide": (network(units=2), r"gives \[\(None, 2\)\], not one probability"),
        "any": (
            keras.Model(any_size, LAYERS.Dense(1)(pooled)),
            "takes .*, not one square RGB image",
        ),
    }
    for name, (model, reason) in models.items():
        model.save(tmp_path / f"{name}.keras")
        with pytest.raises(ModelFileError, match=reason):
            load_model(tmp_path / f"{name}.keras")


def test_model_without_an_input_is_refused(tmp_path):
    config = sequential()
    del config["config"]["layers"][0]
    write_keras(tmp_path / "m.keras", config)
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "m.keras")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"threshold": 2}, "has a broken description: the threshold must lie in 0..1"),
        ({"threshold": 10**400}, "has a broken description"),
        ({"class_names": 3}, "has a broken description"),
        ({"preprocessing": None}, "has a broken description"),
        ({"preprocessing": {"size": 9}}, "describes images of 9 px, but takes images of 8 px"),
    ],
)
def test_broken_description_is_refused(tmp_path, change, reason):
    values = ModelInfo(preprocessing=Preprocessing(SIZE)).to_dict() | change
    write_keras(tmp_path / "m.keras", **{"mesonet.json": json.dumps(values)})
    with pytest.raises(ModelFileError) as caught:
        load_model(tmp_path / "m.keras")
    assert reason in caught.value.reason


def test_missing_weights_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(sequential()))
        with h5py.File(tmp_path / "empty.h5", "w"):
            pass
        archive.write(tmp_path / "empty.h5", "model.weights.h5")
    with pytest.raises(ModelFileError, match="cannot be loaded by Keras"):
        load_model(tmp_path / "m.keras")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_detector_with_a_backbone_loads(tmp_path, suffix):
    backbone = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(64, 64, 3), alpha=0.35, pooling="avg"
    )
    inputs = keras.Input((64, 64, 3))
    scaled = LAYERS.Rescaling(1 / 127.5, -1)(inputs)
    model = keras.Model(inputs, LAYERS.Dense(1, activation="sigmoid")(backbone(scaled)))
    save_model(model, tmp_path / f"m{suffix}", ModelInfo(preprocessing=Preprocessing(64)))
    loaded, _ = load_model(tmp_path / f"m{suffix}")
    np.testing.assert_allclose(scores(loaded, 64), scores(model, 64), rtol=1e-5)
