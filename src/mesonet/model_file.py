"""Loading and saving models, with what has to be known about them beside the weights."""

import json
import logging
import math
import os
import shutil
import tempfile
import textwrap
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import h5py

from mesonet.backend import keras
from mesonet.errors import ArgumentError, ModelFileError
from mesonet.files import writing
from mesonet.inspection.keras_config import check_values
from mesonet.inspection.limits import MAX_VALUES, RefusedError
from mesonet.inspection.model_files import Contents, Format, read_contents
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing

Layers = Counter[tuple[str, tuple[tuple[int, ...], ...]]]
"""How often a network has a layer of some class with weights of some shapes."""

_T = TypeVar("_T")
_MAX_MESSAGE = 240
_SUFFIXES = {Format.KERAS: (".keras",), Format.HDF5_MODEL: (".h5", ".hdf5")}


class _Outline(NamedTuple):
    size: int
    layers: Layers


def load_model(
    path: str | os.PathLike[str],
    architecture: str | None = None,
    *,
    compile: bool = False,  # noqa: A002 - Keras' name
) -> tuple[keras.Model, ModelInfo]:
    """Load a detector from a file, as data: nothing that the file brings is ever run.

    Args:
        path: a ``.keras`` file, an HDF5 model (Keras or tf.keras) or HDF5 weights, told apart
            by content.
        architecture: the network that a weights-only file belongs to, as in
            `mesonet.architectures.list_architectures`; by default it is recognised from the
            shapes of the weights. A full model describes its own network.
        compile: restore the optimizer with its state, the loss and the metrics, to train
            further; for ``.keras`` files that were saved compiled.

    Returns:
        The model, which takes ``(batch, size, size, 3)``, gives ``(batch, 1)`` and is compiled
        only if asked for; and its description, which is the default one where the file has none.

    Raises:
        ModelFileError: the file is refused by `mesonet.inspection.model_files.inspect_model_file`,
            does not load, or holds something else than such a model.
        ValueError: there is no such architecture.
    """
    path = Path(path)
    contents = read_contents(path)
    try:
        if contents.format is Format.HDF5_WEIGHTS:
            model, info = _load_weights(path, contents, architecture)
        else:
            model, info = _load_model(path, contents)
        if compile:
            _restore_training(model, path, contents)
        return model, info
    except RefusedError as refusal:
        raise ModelFileError(path, str(refusal)) from refusal.__cause__


def save_model(
    model: keras.Model,
    path: str | os.PathLike[str],
    info: ModelInfo,
    *,
    compressed: bool = False,
) -> None:
    """Write a model and its description into one file, which is never seen half-written.

    A compiled model keeps the state of its optimizer in the file.

    Args:
        model: the model.
        path: a name ending in ``.keras``, or in ``.h5`` or ``.hdf5`` for the legacy format.
        info: its description.
        compressed: compress a ``.keras`` file; worth it where weights have few digits.

    Raises:
        ValueError: the name ends otherwise.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in {".keras", ".h5", ".hdf5"}:
        raise ArgumentError(f"a model file ends in .keras, .h5 or .hdf5, not in {path.suffix!r}")
    description = json.dumps(info.to_dict())
    with writing(path) as partial:
        temporary = partial.with_name(f"model{suffix}")
        with _quiet():
            model.save(temporary)
        if suffix == ".keras":
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr("mesonet.json", description)
            if compressed:
                temporary = _compress(temporary)
        else:
            with h5py.File(temporary, "r+") as file:
                file.attrs["mesonet"] = description
        temporary.replace(partial)


def _compress(path: Path) -> Path:
    compressed = path.with_name(f"compressed-{path.name}")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(compressed, "w") as smaller:
        for name in archive.namelist():
            smaller.writestr(name, archive.read(name), zipfile.ZIP_DEFLATED)
    return compressed


def _load_model(path: Path, contents: Contents) -> tuple[keras.Model, ModelInfo]:
    with _named(path, *_SUFFIXES[contents.format]) as named:

        def load() -> keras.Model:
            return keras.saving.load_model(named, compile=False, safe_mode=True)

        outline = _rehearse(lambda: _outline(_keras(load)))
        model = _keras(load)
    if not isinstance(getattr(model, "output", None), keras.KerasTensor):
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return model, _describe(contents, _recognise(outline), outline.size)


def _restore_training(model: keras.Model, path: Path, contents: Contents) -> None:
    training = contents.training
    if not isinstance(training, dict) or not training.get("optimizer"):
        raise RefusedError("holds no optimizer state to train further with")
    check_values(training)
    _keras(lambda: model.compile_from_config(training))
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        weights = archive.extract("model.weights.h5", folder)
        _keras(lambda: model.load_weights(weights))


def _load_weights(
    path: Path, contents: Contents, architecture: str | None
) -> tuple[keras.Model, ModelInfo]:
    from mesonet.architectures import create_model, list_recognised

    stored = sorted(
        shape
        for name, shape in contents.shapes.items()
        if not name.startswith("optimizer") and "seed_generator" not in name
    )
    known = {
        name: sorted(_weights(_known_outline(name)))
        for name in ([architecture] if architecture else list_recognised())
    }
    fitting = [name for name, shapes in known.items() if shapes == stored]
    if not fitting:
        wanted = ", ".join(f"{name} has {_summary(shapes)}" for name, shapes in known.items())
        raise RefusedError(f"holds weights of {_summary(stored)}, which do not fit: {wanted}")
    if len(fitting) > 1:
        raise RefusedError(f"holds weights that fit {' and '.join(fitting)}; say which it is")
    model = create_model(fitting[0])
    current = all("vars" in name.split("/") for name in contents.shapes)
    suffixes = (".weights.h5",) if current else _SUFFIXES[Format.HDF5_MODEL]
    with _named(path, *suffixes) as named:
        _keras(lambda: model.load_weights(named))
    return model, _describe(contents, fitting[0], _image_size(model))


# What a network looks like


def _rehearse(build: Callable[[], _T]) -> _T:
    """Call `build` where the variables of a model have shapes but take no memory.

    Keras keeps the state of such a scope for each thread, so it ends with a thread of its own.
    """

    def rehearsal() -> _T:
        with keras.StatelessScope(initialize_variables=False):
            return build()

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(rehearsal).result()


def _outline(model: keras.Model) -> _Outline:
    """Size and layers of a detector.

    Raises:
        RefusedError: it is no detector, or its feature maps are absurdly large.
    """
    size = _image_size(model)
    _check_feature_maps(model)
    layers = Counter(
        (type(layer).__name__, tuple(tuple(weight.shape) for weight in layer.weights))
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    )
    return _Outline(size, layers)


def _image_size(model: keras.Model) -> int:
    try:
        inputs = [tuple(tensor.shape) for tensor in model.inputs]
        outputs = [tuple(tensor.shape) for tensor in model.outputs]
    except (AttributeError, TypeError, ValueError):
        raise RefusedError("does not say what size its images have") from None
    _, size, *_ = shape = inputs[0] if inputs else (None, None)
    if len(inputs) != 1 or not size or shape != (None, size, size, 3):
        raise RefusedError(f"takes {inputs}, not one square RGB image (None, size, size, 3)")
    if outputs != [(None, 1)]:
        raise RefusedError(f"gives {outputs}, not one probability (None, 1)")
    try:
        return Preprocessing(size=size).size
    except ValueError as error:
        raise RefusedError(f"takes images that are too large: {error}") from error


def _check_feature_maps(model: keras.Model) -> None:
    for operation in getattr(model, "operations", model.layers):
        for node in operation._inbound_nodes:
            for tensor in node.output_tensors:
                if math.prod(side or 1 for side in tensor.shape[1:]) > MAX_VALUES:
                    raise RefusedError(
                        f"has a layer {operation.name!r} of output {tuple(tensor.shape)}, "
                        "which is absurdly large"
                    )
            if isinstance(operation, keras.Model):
                inputs = keras.tree.pack_sequence_as(operation.input, node.input_tensors)
                _check_feature_maps(keras.models.clone_model(operation, input_tensors=inputs))


@cache
def _known_outline(name: str, size: int | None = None) -> _Outline:
    from mesonet.architectures import create_model

    return _rehearse(lambda: _outline(create_model(name, size=size)))


def _recognise(outline: _Outline) -> str | None:
    from mesonet.architectures import list_recognised

    for name in list_recognised():
        with suppress(RefusedError, ValueError):  # this network is not built in such a size
            if _known_outline(name, outline.size).layers == outline.layers:
                return name
    return None


def _weights(outline: _Outline) -> Iterator[tuple[int, ...]]:
    for _, shapes in outline.layers.elements():
        yield from shapes


def _summary(shapes: list[tuple[int, ...]]) -> str:
    return f"{sum(map(math.prod, shapes)):,} values in {len(shapes)} arrays"


def _describe(contents: Contents, architecture: str | None, size: int) -> ModelInfo:
    """Description of a model whose network is known.

    Raises:
        RefusedError: the file's own description is broken or contradicts the network.
    """
    from mesonet.architectures import get_architecture

    if contents.description is None:
        own = get_architecture(architecture).preprocessing if architecture else Preprocessing()
        return ModelInfo(architecture, replace(own, size=size))
    try:
        info = ModelInfo.from_dict(contents.description)
    except (OverflowError, ValueError) as error:
        raise RefusedError(f"has a broken description: {error}") from error
    if info.preprocessing.size != size:
        raise RefusedError(
            f"describes images of {info.preprocessing.size} px, but takes images of {size} px"
        )
    return info


# What Keras needs


def _keras(call: Callable[[], _T]) -> _T:
    """Call into Keras, whose loaders may raise anything."""
    try:
        with _quiet():
            return call()
    except Exception as error:
        message = textwrap.shorten(str(error), _MAX_MESSAGE, placeholder="...")
        raise RefusedError(f"cannot be loaded by Keras: {message}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Keras from telling people that legacy files are legacy."""
    absl = logging.getLogger("absl")
    level = absl.level
    absl.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        absl.setLevel(level)


@contextmanager
def _named(path: Path, *suffixes: str) -> Iterator[Path]:
    """The file under a name that Keras reads as the right format; a copy if need be."""
    weights = ".weights.h5"
    if path.name.endswith(suffixes) and path.name.endswith(weights) == (weights in suffixes):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copyfile(path, Path(folder) / f"model{suffixes[0]}"))
