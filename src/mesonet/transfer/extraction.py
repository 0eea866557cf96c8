"""Writing feature stores: a backbone over a data folder, resumed after an interruption."""

import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesonet.backend import keras
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import Grouping, group_keys
from mesonet.errors import ArgumentError, ImageError, StoreError
from mesonet.files import write_text
from mesonet.images.reading import load_image
from mesonet.model_file import save_model
from mesonet.model_info import ModelInfo
from mesonet.parallel import cores, map_ahead
from mesonet.progress import Progress
from mesonet.runtime import Runtime
from mesonet.training_data import TrainingData
from mesonet.transfer.extractor import feature_runtime, make_extractor
from mesonet.transfer.store import (
    EXTRACTOR_FILE,
    FEATURES_FILE,
    INDEX_FILE,
    PROGRESS_FILE,
    SCHEMA,
    FeatureDataset,
    FeatureRecipe,
    read_index,
    read_progress,
)

_FILES = {INDEX_FILE, FEATURES_FILE, EXTRACTOR_FILE, PROGRESS_FILE}
_BATCH = 8
_FLUSH_EVERY = 16

_Batch = tuple[NDArray[np.floating], dict[int, str]]


def extract_features(
    store: str | os.PathLike[str],
    data: ClassFolders,
    backbone: keras.Model,
    recipe: FeatureRecipe,
    *,
    groups: Grouping | None = None,
    progress: Progress | None = None,
) -> FeatureDataset:
    """Write the features of a data folder, or go on where an interruption stopped it.

    Images are decoded and run through the network in parallel; memory does not grow with
    their number. Those that cannot be decoded are named in warnings and left out. A finished
    store is left as it is, but for the groups if others are given.

    Args:
        store: the folder to write.
        data: the images.
        backbone: a model from ``(n, size, size, 3)`` to feature maps.
        recipe: what else defines the features.
        groups: which images belong together, see `mesonet.datasets.groups.group_keys`.
        progress: called with how many images are done and how many there are.

    Raises:
        StoreError: the folder holds other features, or something else.
        ValueError: the grouping does not fit the images, or size and network do not agree.
    """
    folder = Path(store)
    if backbone.input_shape[1] != recipe.preprocessing.size:
        raise ArgumentError(
            f"the network takes images of {backbone.input_shape[1]} px, "
            f"not of {recipe.preprocessing.size} px"
        )
    keys = group_keys(data.names, groups) if groups is not None else None
    extractor = make_extractor(backbone, recipe.pooling)
    index = {
        "schema": SCHEMA,
        "fingerprint": _fingerprint(data, extractor, recipe),
        "recipe": asdict(recipe),
        "class_names": list(data.class_names),
        "names": [name.as_posix() for name in data.names],
        "labels": data.labels.tolist(),
        "groups": keys,
    }
    if (folder / INDEX_FILE).is_file():
        existing = read_index(folder)
        if existing["fingerprint"] != index["fingerprint"]:
            raise StoreError(
                store,
                "this store holds features of other images, or made in another way; "
                "name another folder",
            )
        if keys is not None and keys != existing["groups"]:
            write_text(folder / INDEX_FILE, json.dumps(index, indent=1))
    else:
        _start(folder, extractor, index, recipe, data)
    if read_progress(folder)[0] < len(data):
        _extend(folder, data, feature_runtime(extractor), recipe, progress)
    for reason in read_progress(folder)[1].values():
        warnings.warn(f"left out: {reason}", UserWarning, stacklevel=2)
    return FeatureDataset(folder)


def _start(
    folder: Path,
    extractor: keras.Model,
    index: dict[str, Any],
    recipe: FeatureRecipe,
    data: ClassFolders,
) -> None:
    """Set up the files of a store; the index comes last, so that no half of them counts."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(p.name not in _FILES and not p.name.startswith(".") for p in folder.iterdir()):
        raise StoreError(folder, "this folder holds something else; name a new one")
    shape = (len(index["names"]), recipe.views, *extractor.output_shape[1:])
    header = {
        "descr": np.lib.format.dtype_to_descr(recipe.dtype),
        "fortran_order": False,
        "shape": shape,
    }
    with (folder / FEATURES_FILE).open("wb") as file:
        np.lib.format.write_array_header_2_0(file, header)
        file.truncate(file.tell() + _bytes(shape, recipe.dtype))
    record = TrainingData.of([data.root.resolve().name], data.paths)
    classes = (data.class_names[0], data.class_names[1])
    info = ModelInfo(None, recipe.preprocessing, classes, training_data=record)
    save_model(extractor, folder / EXTRACTOR_FILE, info)
    _write_progress(folder, 0, {})
    write_text(folder / INDEX_FILE, json.dumps(index, indent=1))


def _bytes(shape: Sequence[int], dtype: np.dtype[Any]) -> int:
    return int(np.prod(shape, dtype=np.int64)) * dtype.itemsize


def _extend(
    folder: Path,
    data: ClassFolders,
    run: Runtime,
    recipe: FeatureRecipe,
    progress: Progress | None,
) -> None:
    """Compute what is missing. What the progress counts has reached the disk before it."""
    path = folder / FEATURES_FILE
    done, unreadable = read_progress(folder)
    shape = np.load(path, mmap_mode="r").shape
    with path.open("r+b") as file:
        file.seek(-(len(data) - done) * _bytes(shape[1:], recipe.dtype), os.SEEK_END)
        batches = _batches(data, run, recipe, shape[2:], done)
        for number, (features, bad) in enumerate(batches, start=1):
            file.write(features.tobytes())
            done += len(features)
            unreadable |= bad
            if number % _FLUSH_EVERY == 0 or done == len(data):
                file.flush()
                os.fsync(file.fileno())
                _write_progress(folder, done, unreadable)
            if progress:
                progress(done, len(data))


def _batches(
    data: ClassFolders, run: Runtime, recipe: FeatureRecipe, shape: tuple[int, ...], start: int
) -> Iterator[_Batch]:
    """Batch after batch, in order, computed a few batches ahead of the consumer."""

    def compute(first: int) -> _Batch:
        images = range(first, min(first + _BATCH, len(data)))
        return _compute(data, images, run, recipe, shape)

    return map_ahead(compute, range(start, len(data), _BATCH), cores())


def _compute(
    data: ClassFolders,
    images: range,
    run: Runtime,
    recipe: FeatureRecipe,
    shape: tuple[int, ...],
) -> _Batch:
    """Features of a few images, zeros for those that cannot be read, and why they cannot."""
    limit = np.finfo(recipe.dtype).max
    features = np.zeros((len(images), recipe.views, *shape), recipe.dtype)
    unreadable = {}
    for position, i in enumerate(images):
        try:
            image = load_image(data.paths[i], recipe.preprocessing)
        except ImageError as error:
            unreadable[i] = str(error)
            continue
        views = [image]
        for view in range(1, recipe.views):
            rng = np.random.default_rng([recipe.seed, i, view])
            views.append(recipe.augmentation(image, rng))
        values = run(recipe.preprocessing.scale(np.stack(views)))
        features[position] = np.clip(values, -limit, limit)
    return features, unreadable


def _fingerprint(data: ClassFolders, extractor: keras.Model, recipe: FeatureRecipe) -> str:
    """Hash of everything that the features depend on."""
    values = asdict(recipe) | {"schema": SCHEMA}
    del values["weights"]  # their values count, not where they came from
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for weight in extractor.weights:
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    for name, path in zip(data.names, data.paths, strict=True):
        digest.update(b"\n" + os.fsencode(name.as_posix()) + b"\n")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _write_progress(folder: Path, done: int, unreadable: dict[int, str]) -> None:
    write_text(
        folder / PROGRESS_FILE, json.dumps({"done": done, "unreadable": unreadable}, indent=1)
    )
