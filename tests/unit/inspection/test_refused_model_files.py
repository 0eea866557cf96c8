"""Model files that are damaged, too large, or made to do harm."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.hostile import REASONS, SENTINEL, hostile_models, oversized_models
from tests.keras_networks import LAYERS, scores
from tests.small_models import SIZE, layer, mutate, mutations, sequential, write_h5, write_keras

from mesonet.backend import keras
from mesonet.errors import ModelFileError
from mesonet.inspection.keras_config import check_config
from mesonet.model_file import load_model

ROOT = Path(__file__).parents[3]


def test_hostile_files_are_refused_before_keras_sees_them(tmp_path):
    for name, path in hostile_models(tmp_path).items():
        with pytest.raises(ModelFileError) as caught:
            load_model(path)
        assert REASONS[name] in caught.value.reason
    assert not (tmp_path / SENTINEL).exists()


def test_the_lambda_file_would_have_run(tmp_path):
    path = hostile_models(tmp_path)["lambda.keras"]
    keras.saving.load_model(path, compile=False, safe_mode=False)
    assert (tmp_path / SENTINEL).exists()


def test_image_may_not_be_too_large(tmp_path):
    config = sequential(layer("GlobalAveragePooling2D"), size=5_000)
    write_keras(tmp_path / "m.keras", config, features=3)
    with pytest.raises(ModelFileError, match=r"too large: image size must be 1\.\.4096 px"):
        load_model(tmp_path / "m.keras")


@pytest.mark.slow
def test_oversized_models_are_refused_in_little_memory(tmp_path):
    script = f"""
import resource
from pathlib import Path
from mesonet.model_file import load_model
from mesonet.errors import ModelFileError
from tests.hostile import oversized_models
from tests.small_models import write_keras
folder = Path({str(tmp_path)!r})
write_keras(folder / "good.keras")
load_model(folder / "good.keras")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, path in oversized_models(folder).items():
    try:
        load_model(path)
    except ModelFileError as error:
        print(name, error.reason)
load_model(folder / "good.keras")
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10
"""
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr
    reasons = dict(line.split(" ", 1) for line in run.stdout.splitlines())
    assert set(reasons) == {path.stem for path in oversized_models(tmp_path).values()}
    absurd = "has a layer 'upsampling2d' of output (None, 40000, 40000, 3), which is absurdly large"
    assert reasons["tall"] == reasons["hidden"] == absurd
    assert reasons["wide"].startswith("cannot be loaded by Keras: ")


def test_rehearsal_needs_shapes_that_layers_state_themselves():
    for name in check_config.__globals__["_LAYERS"] - {"InputLayer"}:
        kind = getattr(LAYERS, name)
        stated = kind.compute_output_shape is not LAYERS.Layer.compute_output_shape
        assert stated or kind.compute_output_spec is not LAYERS.Layer.compute_output_spec, name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV3Small", "EfficientNetV2B0", "ConvNeXtTiny"])
def test_networks_of_keras_applications_pass(name):
    model = getattr(keras.applications, name)(weights=None, input_shape=(64, 64, 3))
    check_config(json.loads(json.dumps(keras.saving.serialize_keras_object(model))))


@pytest.mark.parametrize("write", [write_keras, write_h5])
def test_damaged_file_loads_or_is_refused(tmp_path, write):
    path = tmp_path / "model"
    write(path)
    data = path.read_bytes()

    @settings(max_examples=60)
    @given(mutations(len(data)))
    def check(mutation):
        path.write_bytes(mutate(data, mutation))
        try:
            model, info = load_model(path)
        except ModelFileError:
            return
        assert scores(model).shape == (2, 1)
        assert info.preprocessing.size == SIZE

    check()
