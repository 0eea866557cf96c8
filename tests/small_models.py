"""Small model files, written by hand and without Keras."""

import io
import json
import zipfile

import h5py
import numpy as np
from hypothesis import strategies as st

SIZE = 8


def layer(kind, module="keras.layers", /, **config):
    """Configuration of a layer; with None as its module a legacy one."""
    spec = {"class_name": kind, "config": {"name": kind.lower(), **config}}
    return spec | {"module": module, "registered_name": None} if module else spec


def sequential(*layers, size=SIZE, legacy=False):
    """Configuration of a model that scores images, with `layers` after its input."""
    module = None if legacy else "keras.layers"
    shape = {"batch_input_shape" if legacy else "batch_shape": [None, size, size, 3]}
    stack = [layer("InputLayer", module, **shape), *layers, layer("Flatten", module)]
    stack.append(layer("Dense", module, units=1, activation="sigmoid"))
    return layer("Sequential", None if legacy else "keras", layers=stack)


def write_keras(path, config=None, alter=None, features=SIZE * SIZE * 3, **members):
    """A ``.keras`` file; `alter` is called with the path and its HDF5 file of weights.

    The last layer has as many inputs as `features`.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers/dense/vars/0"] = np.full((features, 1), 0.01, np.float32)
        file["layers/dense/vars/1"] = np.zeros(1, np.float32)
        if alter:
            alter(path, file)
    text = config if isinstance(config, str) else json.dumps(config or sequential())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", buffer.getvalue())
        for name, data in members.items():
            archive.writestr(name, data)


def write_h5(path, config=None, alter=None):
    """A legacy HDF5 model; `alter` is called with the path and the finished HDF5 file."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config or sequential(legacy=True))
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"flatten", b"dense"])
        group.attrs["keras_version"] = "2.4.0"
        group.create_group("flatten").attrs["weight_names"] = np.zeros(0)
        dense = group.create_group("dense")
        dense.attrs["weight_names"] = np.array([b"dense/kernel:0", b"dense/bias:0"])
        dense["dense/kernel:0"] = np.full((SIZE * SIZE * 3, 1), 0.01, np.float32)
        dense["dense/bias:0"] = np.zeros(1, np.float32)
        if alter:
            alter(path, file)


def mutations(size):
    """Bytes to overwrite, and where to cut."""
    edit = st.tuples(st.integers(0, size - 1), st.binary(min_size=1, max_size=8))
    return st.tuples(st.lists(edit, max_size=8), st.none() | st.integers(0, size))


def mutate(data, mutation):
    edits, end = mutation
    changed = bytearray(data)
    for start, new in edits:
        changed[start : start + len(new)] = new
    return bytes(changed[:end])
