"""Class folders in, batches out.

A data folder holds one sub-folder per class, as ``real/`` and ``df/``. Classes are numbered
alphabetically, so a forged class named df, deepfake, fake or forged is 0 and ``real`` is 1:
a sigmoid output is P(real).
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesonet.backend import keras
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import Grouping
from mesonet.errors import ArgumentError
from mesonet.images.augmentation import Augmentation
from mesonet.images.blending import Blending, Mask
from mesonet.images.reading import load_image
from mesonet.preprocessing import Preprocessing
from mesonet.progress import Progress

IMG_WIDTH = 256


class ImageBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of decoded, resized, augmented and scaled images for Keras.

    Item ``i`` is a pair of a float32 array of shape ``(batch, size, size, 3)`` and a float32
    array of labels of shape ``(batch,)``. Iterating gives one epoch; ``next`` goes on from
    epoch to epoch. The same seed gives the same batches, also after an interruption when
    ``epoch`` is set.

    Attributes:
        epoch: which epoch's order and augmentation are drawn.
    """

    def __init__(
        self,
        data: ClassFolders,
        batch_size: int,
        *,
        preprocessing: Preprocessing | None = None,
        shuffle: bool = False,
        augmentation: Augmentation | None = None,
        blending: Blending | None = None,
        seed: int = 0,
        workers: int = 2,
    ) -> None:
        super().__init__(workers=workers, max_queue_size=4 * workers)
        if batch_size < 1:
            raise ArgumentError(f"the batch size must be at least 1, not {batch_size}")
        self.data = data
        self.batch_size = batch_size
        self.preprocessing = preprocessing or Preprocessing(size=IMG_WIDTH)
        self.shuffle = shuffle
        self.augmentation = augmentation
        self.blending = blending
        self.seed = seed
        self.epoch = 0
        self._next = 0
        self._real = np.flatnonzero(~data.is_fake)

    @property
    def samples(self) -> int:
        """Number of images."""
        return len(self.data)

    @property
    def classes(self) -> NDArray[np.int64]:
        """Label of each image, in the order of `filenames`."""
        return self.data.labels

    @property
    def class_indices(self) -> dict[str, int]:
        """Label of each class name."""
        return {name: label for label, name in enumerate(self.data.class_names)}

    @property
    def filenames(self) -> list[str]:
        """Paths relative to the data folder."""
        return [str(name) for name in self.data.names]

    def __len__(self) -> int:
        return -(-self.samples // self.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        return self._batch(self.epoch, index)

    def _batch(self, epoch: int, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        order = np.arange(self.samples)
        if self.shuffle:
            np.random.default_rng([self.seed, epoch]).shuffle(order)
        chosen = order[index * self.batch_size : (index + 1) * self.batch_size]
        rng = np.random.default_rng([self.seed, epoch, index])
        images: list[NDArray[np.uint8]] = []
        labels: list[int] = []
        for i in chosen:
            label = int(self.classes[i])
            image = load_image(self.data.paths[i], self.preprocessing)
            if self.blending and self.data.is_fake[i]:
                image = self.blending.disguise(image, rng)
            elif self.blending and rng.random() < self.blending.share:
                image, forgery, _ = self._blend(image, rng)
                state = rng.bit_generator.state
                images.append(self._augment(forgery, rng))
                labels.append(1 - label)
                rng.bit_generator.state = state
            images.append(self._augment(image, rng))
            labels.append(label)
        return self.preprocessing.scale(np.stack(images)), np.array(labels, np.float32)

    def _augment(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        return self.augmentation(image, rng) if self.augmentation else image

    def _blend(
        self, image: NDArray[np.uint8], rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Mask]:
        assert self.blending  # noqa: S101
        other = None
        if rng.random() < self.blending.others:
            other = load_image(self.data.paths[rng.choice(self._real)], self.preprocessing)
        return self.blending(image, rng, other)

    def on_epoch_end(self) -> None:
        """Draw the next epoch's order and augmentation from now on."""
        self.epoch += 1

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()

    def __next__(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        epoch, index = divmod(self._next, len(self))
        self._next += 1
        return self._batch(epoch, index)


def get_train_data_generator(
    train_data_dir: str | os.PathLike[str],
    batch_size: int,
    validation_split: float | None = None,
    use_default_augmentation: bool = True,
    augmentations: Mapping[str, Any] | None = None,
    *,
    blending: Blending | None = None,
    groups: Grouping | None = None,
    seed: int = 0,
    preprocessing: Preprocessing | None = None,
    progress: Progress | None = None,
) -> tuple[ImageBatches, ImageBatches | None]:
    """Shuffled, augmented training batches and, if asked for, validation batches.

    Images that cannot be decoded are named in warnings and left out.

    Args:
        train_data_dir: folder with two class folders.
        batch_size: images per batch.
        validation_split: share of the images to hold out for validation; anything not
            strictly between 0 and 1 means none.
        use_default_augmentation: rotate by up to 15 degrees, zoom by up to 20 %, change the
            brightness by up to 20 % and all channels by up to 30 of 255, and mirror.
        augmentations: further ones, see `mesonet.images.augmentation.Augmentation`; where both name
            one, the default wins.
        blending: adds forgeries blended from real training images to every batch.
        groups: which images must stay on one side of the split, see
            `mesonet.datasets.groups.group_keys`.
        seed: of the order, the augmentation and the split.
        preprocessing: size, interpolation and scaling; by default 256 px, nearest, 0..1.
        progress: called while the images are checked.

    Returns:
        ``(train, validation)``; validation is None unless ``validation_split`` asks for it,
        and is neither shuffled nor augmented.

    Raises:
        DataError: the folder is not a data folder.
        ValueError: an unknown augmentation, or groups that cannot be split.
    """
    data = ClassFolders.read(train_data_dir).readable(progress)
    augmentation = Augmentation.from_options(use_default_augmentation, augmentations)
    validation = None
    if validation_split is not None and 0 < validation_split < 1:
        data, held_out = data.split(validation_split, groups, seed)
        validation = ImageBatches(held_out, batch_size, preprocessing=preprocessing)
    train = ImageBatches(
        data,
        batch_size,
        preprocessing=preprocessing,
        shuffle=True,
        augmentation=augmentation,
        blending=blending,
        seed=seed,
    )
    return train, validation


def get_test_data_generator(
    test_data_dir: str | os.PathLike[str],
    batch_size: int,
    shuffle: bool = False,
    *,
    preprocessing: Preprocessing | None = None,
) -> ImageBatches:
    """Batches of a data folder as they are, without augmentation.

    Images that cannot be decoded are named in warnings and left out.

    Raises:
        DataError: the folder is not a data folder.
    """
    data = ClassFolders.read(test_data_dir).readable()
    return ImageBatches(data, batch_size, preprocessing=preprocessing, shuffle=shuffle)
