import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from tests.hostile import REASONS, SENTINEL, hostile_models
from tests.small_models import layer, mutate, mutations, sequential, write_h5, write_keras

from mesonet.errors import ModelFileError
from mesonet.inspection import limits
from mesonet.inspection.keras_config import check_config
from mesonet.inspection.limits import RefusedError
from mesonet.inspection.model_files import Format, inspect_model_file, read_contents

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return hostile_models(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    write_keras(folder / "good.keras")
    write_h5(folder / "good.h5")
    return folder


@pytest.mark.parametrize("name", REASONS)
def test_hostile_file_is_refused_in_one_sentence(hostile, name):
    with pytest.raises(ModelFileError) as caught:
        inspect_model_file(hostile[name])
    assert REASONS[name] in caught.value.reason
    assert str(caught.value) == f"{hostile[name]}: {caught.value.reason}"
    assert Path(caught.value.path) == hostile[name]
    assert "\n" not in caught.value.reason
    assert not (hostile[name].parent / SENTINEL).exists()


def test_refusing_takes_little_time_and_memory_and_no_keras(tmp_path):
    script = f"""
import resource, sys, time
from pathlib import Path
import mesonet.inspection.hdf5
from mesonet.errors import ModelFileError
from mesonet.inspection.model_files import inspect_model_file
from tests.hostile import hostile_models
paths = hostile_models(Path({str(tmp_path)!r}))
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
before = peak()
for path in paths.values():
    started = time.process_time()
    try:
        inspect_model_file(path)
    except ModelFileError:
        pass
    assert time.process_time() - started < 2, path
    assert peak() - before < 32, path
assert not {{"keras", "tensorflow", "torch", "jax"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, timeout=600)


def test_format_is_told_by_content(good, tmp_path):
    assert inspect_model_file(good / "good.keras") is Format.KERAS
    assert inspect_model_file(str(good / "good.h5")) is Format.HDF5_MODEL
    renamed = tmp_path / "model.png"
    renamed.write_bytes((good / "good.keras").read_bytes())
    assert inspect_model_file(renamed) is Format.KERAS


def test_contents_list_the_stored_arrays(good):
    assert read_contents(good / "good.keras").shapes == {
        "layers/dense/vars/0": (192, 1),
        "layers/dense/vars/1": (1,),
    }
    assert set(read_contents(good / "good.h5").shapes.values()) == {(192, 1), (1,)}


def test_contents_have_the_description(tmp_path):
    write_keras(tmp_path / "m.keras", **{"mesonet.json": '{"threshold": 0.4}'})
    write_h5(
        tmp_path / "m.h5", alter=lambda _, file: file.attrs.update(mesonet='{"threshold": 0.4}')
    )
    for name in ("m.keras", "m.h5"):
        assert read_contents(tmp_path / name).description == {"threshold": 0.4}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Meso4_DF.h5", Format.HDF5_WEIGHTS),
        ("Meso4_F2F.h5", Format.HDF5_WEIGHTS),
        ("MesoInception_DF.h5", Format.HDF5_WEIGHTS),
        ("MesoInception_F2F.h5", Format.HDF5_WEIGHTS),
        ("model1_18epochs_valacc0.9252.hdf5", Format.HDF5_MODEL),
        ("model2_17epochs_valacc0.89.hdf5", Format.HDF5_MODEL),
    ],
)
def test_reference_files_pass(shared, name, kind):
    assert inspect_model_file(shared / "weights" / name) is kind


def test_the_pickled_file_would_have_run(hostile):
    path = hostile["pickle.h5"]
    pickle.loads(path.read_bytes()).close()
    (path.parent / SENTINEL).unlink()


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelFileError, match="does not exist"):
        inspect_model_file(tmp_path / "none.keras")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.keras")
    with pytest.raises(ModelFileError, match="is not a regular file"):
        inspect_model_file(tmp_path / "pipe.keras")


def test_file_may_not_be_too_large(good, monkeypatch):
    monkeypatch.setattr(limits, "MAX_BYTES", 1000)
    with pytest.raises(ModelFileError, match="has more than the 0 MiB a model file may have"):
        inspect_model_file(good / "good.keras")


def test_error_survives_pickling():
    error = pickle.loads(pickle.dumps(ModelFileError("a.keras", "is empty")))
    assert (str(error), error.path, error.reason) == (
        "a.keras: is empty",
        "a.keras",
        "is empty",
    )


def test_harmless_configurations_pass():
    seeded = layer("Dense", units=1, kernel_initializer=layer("HeNormal", "keras.initializers"))
    seeded["config"]["kernel_initializer"]["config"]["seed"] = 987_654_321
    check_config(sequential(seeded))
    check_config(sequential(layer("Dense", units=1) | {"shared_object_id": 139_750_437_366_544}))
    check_config(sequential(layer("Dense", None, units=1, activation="relu"), legacy=True))
    flat = layer("Dense", units=1) | {"build_config": {"input_shape": [None, 216_320]}}
    check_config(sequential(flat))
    old = sequential(legacy=True)
    old["config"] = old["config"]["layers"]
    check_config(old)


def test_largest_image_passes_and_a_larger_one_does_not():
    check_config(sequential(size=4096))
    with pytest.raises(RefusedError, match="absurdly large"):
        check_config(sequential(size=16_384))


def test_compile_information_is_not_read(tmp_path):
    evil = {"optimizer": {"class_name": "function", "module": "os", "config": "system"}}
    write_keras(tmp_path / "m.keras", sequential() | {"compile_config": evil})
    assert inspect_model_file(tmp_path / "m.keras") is Format.KERAS
    nested = sequential(sequential() | {"compile_config": evil})
    write_keras(tmp_path / "nested.keras", nested)
    with pytest.raises(ModelFileError, match=r"names the function os\.system"):
        inspect_model_file(tmp_path / "nested.keras")


@pytest.mark.parametrize("name", ["good.keras", "good.h5"])
def test_damaged_file_passes_or_is_refused(good, name, tmp_path_factory):
    data = (good / name).read_bytes()
    path = tmp_path_factory.mktemp("damaged") / name

    @given(mutations(len(data)))
    def check(mutation):
        path.write_bytes(mutate(data, mutation))
        try:
            inspect_model_file(path)
        except ModelFileError as error:
            assert len(error.reason) < 1_000
            json.dumps(error.reason).encode()

    check()
