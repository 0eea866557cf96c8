"""Writing a model in other formats."""

import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mesonet.backend import keras
from mesonet.errors import ArgumentError, InputError, MissingPackageError
from mesonet.files import writing
from mesonet.model_file import load_model, save_model
from mesonet.weights import released

if TYPE_CHECKING:
    import onnx


def export_model(
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    architecture: str | None = None,
    *,
    half: bool = False,
) -> None:
    """Write a model as ``.keras``, ``.h5`` or ``.onnx``, by the ending of ``out``.

    An ONNX file takes prepared float32 images of shape ``(n, size, size, 3)`` and gives
    P(class 1) of shape ``(n, 1)``, not calibrated; how to prepare the images, the calibration
    and the rest of the description stand in its metadata, as JSON. It appears under its name
    when it is complete.

    Args:
        model: name of a released model, or a model file.
        out: the file to write.
        architecture: names the network of a file that holds only weights.
        half: round the weights to 16 bits, which makes the file about half as large; scores
            move by some thousandths. Arrays with values too large for that stay as they are.
            What reads the file computes with 32 bits as ever.

    Raises:
        mesonet.inspection.model_files.ModelFileError: the model cannot be loaded.
        ValueError: an ending that is not supported, also not with ``half``, or a backend that
            cannot write ONNX.
        ImportError: ONNX export needs the extra ``onnx``.
    """
    out = Path(out)
    suffix = out.suffix.lower()
    if suffix not in {".keras", ".h5", ".hdf5", ".onnx"}:
        raise InputError(
            out,
            "the ending must be .keras, .h5 or .onnx"
            + ("" if suffix else " (Keras 3 does not write SavedModel folders as models)"),
        )
    if half and suffix not in {".keras", ".onnx"}:
        raise InputError(out, "files with half the size end in .keras or .onnx")
    found = released(str(model))
    network, info = load_model(found.path if found else model, architecture)
    if suffix != ".onnx":
        if half:
            network.set_weights([_narrow(weights) for weights in network.get_weights()])
        save_model(network, out, info, compressed=half)
        return
    if keras.backend.backend() != "tensorflow":
        raise ArgumentError(
            "ONNX is written through TensorFlow; unset KERAS_BACKEND for the export"
        )
    try:
        import onnx
        import tf2onnx  # noqa: F401 - what Keras exports with
    except ImportError:
        raise MissingPackageError("ONNX export", "onnx") from None
    size = info.preprocessing.size
    network(keras.ops.zeros((1, size, size, 3)))  # Keras exports what was called before
    with writing(out) as partial:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network.export(partial, format="onnx", verbose=False)
        graph = onnx.load(partial)
        onnx.helper.set_model_props(
            graph,
            {k: v if isinstance(v, str) else json.dumps(v) for k, v in info.to_dict().items()},
        )
        if half:
            _halve(graph)
        onnx.checker.check_model(graph)
        onnx.save(graph, partial)


def _narrow(values: NDArray[np.floating]) -> NDArray[np.floating]:
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float16)
    return narrow if np.array_equal(np.isfinite(narrow), np.isfinite(values)) else values


def _halve(model: "onnx.ModelProto") -> None:
    """Keep weights in 16 bits, and widen them before they are used."""
    import onnx

    widen = []
    for constant in model.graph.initializer:
        if constant.data_type != onnx.TensorProto.FLOAT:
            continue
        narrow = _narrow(onnx.numpy_helper.to_array(constant))
        if narrow.dtype == np.float16:
            name = constant.name
            constant.CopyFrom(onnx.numpy_helper.from_array(narrow, f"{name}_half"))
            widen.append(
                onnx.helper.make_node("Cast", [constant.name], [name], to=onnx.TensorProto.FLOAT)
            )
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(widen + nodes)
