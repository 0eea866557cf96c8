"""A folder of features: computed once, read many times, and resumed after an interruption.

A store holds ``features.npy``; ``extractor.keras``, the network that made them; ``index.json``,
which says what they are features of; and ``progress.json``, how many images are done.
"""

import copy
import hashlib
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mesonet.augmentation import Augmentation
from mesonet.backend import keras
from mesonet.class_folders import ClassFolders, Progress
from mesonet.groups import Grouping, group_keys
from mesonet.imaging import load_image
from mesonet.model_file import save_model
from mesonet.model_safety import inspect_model_file
from mesonet.preprocessing import ModelInfo, Preprocessing, real_class
from mesonet.runtime import Runtime, cores
from mesonet.transfer.extractor import Pooling, feature_runtime, make_extractor

INDEX_FILE = "index.json"
SCHEMA = 1

_FEATURES_FILE = "features.npy"
_EXTRACTOR_FILE = "extractor.keras"
_PROGRESS_FILE = "progress.json"
_FILES = {INDEX_FILE, _FEATURES_FILE, _EXTRACTOR_FILE, _PROGRESS_FILE}
_BATCH = 8
_FLUSH_EVERY = 16


class StoreError(ValueError):
    """A feature store that cannot be written or read as asked."""


@dataclass(frozen=True, slots=True)
class FeatureRecipe:
    """How features are made of images.

    Attributes:
        backbone: name of the network.
        weights: ``"imagenet"``, a file, or None for random ones; for the record.
        preprocessing: size, interpolation and scaling of the images.
        pooling: see `mesonet.transfer.extractor.make_extractor`.
        augmented: how many changed views of each image there are beside the image as it is.
        augmentation: how those are changed.
        seed: of the changes.
    """

    backbone: str
    weights: str | None
    preprocessing: Preprocessing
    pooling: Pooling = "mean"
    augmented: int = 0
    augmentation: Augmentation = field(default_factory=lambda: Augmentation.from_options(True))
    seed: int = 0

    @property
    def views(self) -> int:
        """Views of each image; the first is the image as it is."""
        return 1 + self.augmented

    @property
    def dtype(self) -> np.dtype[Any]:
        """Whole feature maps are kept in half precision, pooled ones in single."""
        return np.dtype("<f2" if self.pooling == "none" else "<f4")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `dataclasses.asdict` gave."""
        preprocessing = Preprocessing(**values["preprocessing"])
        augmentation = Augmentation(**values["augmentation"])
        return cls(**{**values, "preprocessing": preprocessing, "augmentation": augmentation})


class Rows:
    """Chosen rows of a larger array, perhaps on disk, that are read when they are asked for."""

    def __init__(self, array: NDArray[np.floating], index: NDArray[np.intp]) -> None:
        self._array = array
        self._index = index
        self.shape = (len(index), *array.shape[1:])

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> NDArray[np.float32]:
        return np.asarray(self._array[self._index[rows]], np.float32)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype, copy=copy)


class FeatureDataset:
    """The features of a data folder, or of some of its images.

    Attributes:
        folder: the store.
        recipe: how the features were made.
        class_names: names of the two classes; the index is the label.
        names: paths relative to the data folder, with forward slashes.
        labels: class of each image, int, shape ``(n,)``.
        groups: group of each image, or None where nothing is known of groups.
    """

    def __init__(self, store: str | os.PathLike[str]) -> None:
        """Open a finished store.

        Raises:
            StoreError: the folder is no store, or features are missing.
        """
        self.folder = Path(store)
        index = _read_index(self.folder)
        done = _read_progress(self.folder)
        if done < len(index["names"]):
            raise StoreError(
                f"{store}: only {done} of {len(index['names'])} images are done; "
                "run 'mesonet features' again to go on"
            )
        self.recipe = FeatureRecipe.from_dict(index["recipe"])
        self.class_names: tuple[str, str] = (index["class_names"][0], index["class_names"][1])
        self.names: list[str] = index["names"]
        self.labels = np.array(index["labels"], np.int64)
        self.groups: list[str] | None = index["groups"]
        self._array: NDArray[np.floating] = np.load(self.folder / _FEATURES_FILE, mmap_mode="r")
        self._images = np.arange(len(self.names))

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[NDArray[np.floating], int]:
        """Features of one image, shape ``(views, ...)``, and its label."""
        return np.array(self._array[self._images[index]]), int(self.labels[index])

    @property
    def features(self) -> NDArray[np.floating]:
        """Shape ``(n, views, ...)``; of a whole store memory-mapped, of a subset a copy."""
        whole = len(self) == len(self._array)
        return self._array if whole else self._array[self._images]

    @property
    def is_fake(self) -> NDArray[np.bool_]:
        """True for the images of the class that is not named real, shape ``(n,)``."""
        return np.not_equal(self.labels, real_class(self.class_names))

    def rows(self, *, augmented: bool = False) -> Rows:
        """Features by view, to train on or to judge.

        Args:
            augmented: take all views of each image, one after the other, not only the first.

        Returns:
            Shape ``(n, ...)``, or ``(n * views, ...)`` with all views.
        """
        images, views = self._array.shape[:2]
        flat = self._array.reshape(images * views, *self._array.shape[2:])
        wanted = np.arange(views if augmented else 1)
        return Rows(flat, (self._images[:, None] * views + wanted).ravel())

    def subset(self, mask: NDArray[np.bool_]) -> Self:
        """Keep the images that ``mask``, of shape ``(n,)``, is True for."""
        kept = np.flatnonzero(mask)
        part = copy.copy(self)
        part.names = [self.names[i] for i in kept]
        part.labels = self.labels[kept]
        part.groups = None if self.groups is None else [self.groups[i] for i in kept]
        part._images = self._images[kept]
        return part

    def load_extractor(self) -> keras.Model:
        """The network that made the features, see `mesonet.transfer.extractor.make_extractor`."""
        path = self.folder / _EXTRACTOR_FILE
        inspect_model_file(path)
        return keras.saving.load_model(path, compile=False)


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
    their number. A finished store is left as it is, but for the groups if others are given.

    Args:
        store: the folder to write.
        data: the images, all readable (see `mesonet.class_folders.ClassFolders.readable`).
        backbone: a model from ``(n, size, size, 3)`` to feature maps.
        recipe: what else defines the features.
        groups: which images belong together, see `mesonet.groups.group_keys`.
        progress: called with how many images are done and how many there are.

    Raises:
        StoreError: the folder holds other features, or something else.
        ValueError: the grouping does not fit the images, or size and network do not agree.
    """
    folder = Path(store)
    if backbone.input_shape[1] != recipe.preprocessing.size:
        raise ValueError(
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
        existing = _read_index(folder)
        if existing["fingerprint"] != index["fingerprint"]:
            raise StoreError(
                f"{store}: this store holds features of other images, or made in another way; "
                "name another folder"
            )
        if keys is not None and keys != existing["groups"]:
            _write_json(folder / INDEX_FILE, index)
    else:
        _start(folder, extractor, index, recipe)
    done = _read_progress(folder)
    if done < len(data):
        _extend(folder, data, feature_runtime(extractor), recipe, done, progress)
    return FeatureDataset(folder)


def _start(
    folder: Path, extractor: keras.Model, index: dict[str, Any], recipe: FeatureRecipe
) -> None:
    """Set up the files of a store; the index comes last, so that no half of them counts."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(p.name not in _FILES and not p.name.startswith(".") for p in folder.iterdir()):
        raise StoreError(f"{folder}: this folder holds something else; name a new one")
    shape = (len(index["names"]), recipe.views, *extractor.output_shape[1:])
    header = {
        "descr": np.lib.format.dtype_to_descr(recipe.dtype),
        "fortran_order": False,
        "shape": shape,
    }
    with (folder / _FEATURES_FILE).open("wb") as file:
        np.lib.format.write_array_header_2_0(file, header)
        file.truncate(file.tell() + _bytes(shape, recipe.dtype))
    info = ModelInfo(None, recipe.preprocessing, tuple(index["class_names"]))
    save_model(extractor, folder / _EXTRACTOR_FILE, info)
    _write_json(folder / _PROGRESS_FILE, {"done": 0})
    _write_json(folder / INDEX_FILE, index)


def _bytes(shape: Sequence[int], dtype: np.dtype[Any]) -> int:
    return int(np.prod(shape, dtype=np.int64)) * dtype.itemsize


def _extend(
    folder: Path,
    data: ClassFolders,
    run: Runtime,
    recipe: FeatureRecipe,
    done: int,
    progress: Progress | None,
) -> None:
    """Compute what is missing. What the progress counts has reached the disk before it."""
    path = folder / _FEATURES_FILE
    shape = np.load(path, mmap_mode="r").shape
    with path.open("r+b") as file:
        file.seek(-(len(data) - done) * _bytes(shape[1:], recipe.dtype), os.SEEK_END)
        for number, features in enumerate(_batches(data, run, recipe, done), start=1):
            file.write(features.tobytes())
            done += len(features)
            if number % _FLUSH_EVERY == 0 or done == len(data):
                file.flush()
                os.fsync(file.fileno())
                _write_json(folder / _PROGRESS_FILE, {"done": done})
            if progress:
                progress(done, len(data))


def _batches(
    data: ClassFolders, run: Runtime, recipe: FeatureRecipe, start: int
) -> Iterator[NDArray[np.floating]]:
    """Features of batch after batch, in order, a few batches ahead of the consumer."""
    pending: deque[Future[NDArray[np.floating]]] = deque()
    workers = cores()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for first in range(start, len(data), _BATCH):
                images = range(first, min(first + _BATCH, len(data)))
                pending.append(pool.submit(_compute, data, images, run, recipe))
                if len(pending) > 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _compute(
    data: ClassFolders, images: range, run: Runtime, recipe: FeatureRecipe
) -> NDArray[np.floating]:
    """Features of a few images, shape ``(n, views, ...)``."""
    pixels = [load_image(data.paths[i], recipe.preprocessing) for i in images]
    limit = np.finfo(recipe.dtype).max
    views = []
    for view in range(recipe.views):
        changed = pixels
        if view:
            changed = [
                recipe.augmentation(image, np.random.default_rng([recipe.seed, i, view]))
                for i, image in zip(images, pixels, strict=True)
            ]
        features = run(recipe.preprocessing.scale(np.stack(changed)))
        views.append(np.clip(features, -limit, limit).astype(recipe.dtype))
    return np.stack(views, axis=1)


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


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX_FILE
    if not path.is_file():
        raise StoreError(f"{folder}: this is no feature store, it has no {INDEX_FILE}")
    try:
        index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema = index["schema"]
    except (ValueError, TypeError, KeyError):
        raise StoreError(f"{path}: this is not the index of a feature store") from None
    if schema != SCHEMA:
        raise StoreError(f"{folder}: the store was written by another version; make it anew")
    return index


def _read_progress(folder: Path) -> int:
    path = folder / _PROGRESS_FILE
    return int(json.loads(path.read_text())["done"]) if path.is_file() else 0


def _write_json(path: Path, value: Any) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(value, indent=1), encoding="utf-8")
    partial.replace(path)
