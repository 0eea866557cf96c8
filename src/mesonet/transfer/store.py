"""A folder of features: computed once, read many times, and resumed after an interruption.

A store holds ``features.npy``; ``extractor.keras``, the network that made them; ``index.json``,
which says what they are features of; and ``progress.json``, how many images are done and which of
them could not be read.
"""

import copy
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mesonet.backend import keras
from mesonet.class_names import real_class
from mesonet.errors import StoreError
from mesonet.images.augmentation import Augmentation
from mesonet.inspection.model_files import inspect_model_file, read_contents
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing
from mesonet.training_data import TrainingData
from mesonet.transfer.extractor import Pooling

INDEX_FILE = "index.json"
SCHEMA = 1

FEATURES_FILE = "features.npy"
EXTRACTOR_FILE = "extractor.keras"
PROGRESS_FILE = "progress.json"


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
    """The features of a data folder's readable images, or of some of them.

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
        index = read_index(self.folder)
        done, unreadable = read_progress(self.folder)
        count = len(index["names"])
        if done < count:
            raise StoreError(
                store,
                f"only {done} of {count} images are done; run 'mesonet features' again to go on",
            )
        self.recipe = FeatureRecipe.from_dict(index["recipe"])
        self.class_names: tuple[str, str] = (index["class_names"][0], index["class_names"][1])
        self._array: NDArray[np.floating] = np.load(self.folder / FEATURES_FILE, mmap_mode="r")
        self._images = np.setdiff1d(np.arange(count), list(unreadable))
        self.names: list[str] = [index["names"][i] for i in self._images]
        self.labels: NDArray[np.int64] = np.array(index["labels"], np.int64)[self._images]
        keys = index["groups"]
        self.groups: list[str] | None = keys and [keys[i] for i in self._images]

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
        path = self.folder / EXTRACTOR_FILE
        inspect_model_file(path)
        return keras.saving.load_model(path, compile=False)

    @property
    def training_data(self) -> TrainingData | None:
        """What a detector is trained on that learns from these features."""
        contents = read_contents(self.folder / EXTRACTOR_FILE)
        return ModelInfo.from_dict(contents.description or {}).training_data


def read_index(folder: Path) -> dict[str, Any]:
    """What a store is features of.

    Raises:
        StoreError: the folder is no store.
    """
    path = folder / INDEX_FILE
    if not path.is_file():
        raise StoreError(folder, f"this is no feature store, it has no {INDEX_FILE}")
    try:
        index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema = index["schema"]
    except (ValueError, TypeError, KeyError):
        raise StoreError(path, "this is not the index of a feature store") from None
    if schema != SCHEMA:
        raise StoreError(folder, "the store was written by another version; make it anew")
    return index


def read_progress(folder: Path) -> tuple[int, dict[int, str]]:
    """How many images are done, and why some of them could not be read, by their number."""
    values = json.loads((folder / PROGRESS_FILE).read_text(encoding="utf-8"))
    return values["done"], {int(i): reason for i, reason in values.get("unreadable", {}).items()}
