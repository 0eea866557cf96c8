"""Listing a data folder that holds one sub-folder per class."""

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mesonet.class_names import named_real, real_class
from mesonet.datasets.groups import Grouping, group_keys, look_like_frames, split_groups
from mesonet.errors import DataError, ImageError
from mesonet.images.finding import find_images
from mesonet.images.reading import load_images
from mesonet.preprocessing import Preprocessing
from mesonet.progress import Progress


def class_folders(root: Path) -> list[Path]:
    """The sub-folders of a data folder, sorted, without hidden ones.

    Raises:
        DataError: there is no such folder.
    """
    if not root.is_dir():
        raise DataError(root, "no such folder")
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def warn_of_frames(names: Iterable[PurePath]) -> None:
    """Warn where images without a grouping look like frames of videos."""
    if look_like_frames(names):
        warnings.warn(
            "the file names look like frames of videos; without a grouping, frames of one video "
            "lie on both sides of the split, and figures are better than they would be on new "
            "videos (use groups='video' or 'pair'; on the command line --groups video, or "
            "--groups pair for names of two videos)",
            UserWarning,
            stacklevel=3,
        )


@dataclass(frozen=True, slots=True)
class ClassFolders:
    """The images of a data folder with one sub-folder per class.

    Attributes:
        root: the data folder.
        class_names: names of the sub-folders, sorted; the index is the label.
        paths: the images, by class and then by name.
        labels: class of each image, int, shape ``(n,)``.
        unlisted: folders below that could not be searched.
    """

    root: Path
    class_names: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: NDArray[np.int64]
    unlisted: tuple[ImageError, ...] = ()

    @classmethod
    def read(cls, root: str | os.PathLike[str]) -> Self:
        """List a data folder. No image is opened.

        Raises:
            DataError: the folder is missing, has not exactly two class folders, or a class
                folder is empty.
        """
        root = Path(root)
        folders = class_folders(root)
        if len(folders) != 2:
            names = ", ".join(p.name for p in folders) or "none"
            raise DataError(
                root, f"expected two class folders, such as real and fake, found: {names}"
            )
        paths: list[Path] = []
        labels: list[int] = []
        unlisted: list[ImageError] = []
        for label, folder in enumerate(folders):
            found, problems = find_images([folder])
            if not found:
                raise DataError(folder, "the class folder holds no images")
            for problem in problems:
                warnings.warn(str(problem), UserWarning, stacklevel=2)
            unlisted += problems
            paths += found
            labels += [label] * len(found)
        classes = tuple(p.name for p in folders)
        if len(named_real(classes)) != 1:
            warnings.warn(
                f"{root}: the names {' and '.join(classes)} do not tell which images are real; "
                f"those in {classes[real_class(classes)]} are taken for it",
                UserWarning,
                stacklevel=2,
            )
        return cls(root, classes, tuple(paths), np.array(labels), tuple(unlisted))

    @classmethod
    def unlabelled(cls, root: str | os.PathLike[str], class_names: tuple[str, str]) -> Self:
        """List a folder of images without class folders; every label is 0.

        Raises:
            DataError: there are no images.
        """
        root = Path(root)
        paths, problems = find_images([root])
        if not paths:
            raise DataError(problems[0].path, problems[0].reason)
        return cls(root, class_names, tuple(paths), np.zeros(len(paths), np.int64))

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def names(self) -> list[PurePath]:
        """Paths relative to the data folder."""
        return [path.relative_to(self.root) for path in self.paths]

    @property
    def is_fake(self) -> NDArray[np.bool_]:
        """True for the images of the class that is not named real, shape ``(n,)``."""
        return np.not_equal(self.labels, real_class(self.class_names))

    def subset(self, mask: NDArray[np.bool_]) -> Self:
        """Keep the images that ``mask``, of shape ``(n,)``, is True for."""
        paths = tuple(path for path, keep in zip(self.paths, mask, strict=True) if keep)
        return type(self)(self.root, self.class_names, paths, self.labels[mask], self.unlisted)

    def check(self, progress: Progress | None = None) -> list[ImageError]:
        """Decode every image once and return what is wrong with those that fail."""
        problems = []
        images = load_images(self.paths, Preprocessing(size=8))
        for done, image in enumerate(images, start=1):
            if isinstance(image, ImageError):
                problems.append(image)
            if progress:
                progress(done, len(self))
        return problems

    def readable(self, progress: Progress | None = None) -> Self:
        """Leave out the images that cannot be decoded, and warn of each by name.

        Raises:
            DataError: a class has no readable image.
        """
        problems = self.check(progress)
        if not problems:
            return self
        for problem in problems:
            warnings.warn(f"left out: {problem}", UserWarning, stacklevel=2)
        bad = {problem.path for problem in problems}
        rest = self.subset(np.array([str(path) not in bad for path in self.paths]))
        for label, name in enumerate(self.class_names):
            if not np.any(rest.labels == label):
                raise DataError(self.root / name, "no image of this class can be read")
        return rest

    def split(
        self, fraction: float, grouping: Grouping | None = None, seed: int = 0
    ) -> tuple[Self, Self]:
        """Divide into a larger and a held-out part.

        With a grouping, whole groups are held out. Without one the first images of every
        class are, as Keras' legacy generators do it, and a warning is given where the names
        look like frames of videos.

        Args:
            fraction: share of the images to hold out, between 0 and 1.
            grouping: see `mesonet.datasets.groups.group_keys`.
            seed: another seed holds out other groups.

        Raises:
            ValueError: the grouping does not fit the images, or leaves too few groups.
        """
        if grouping is not None:
            keys = group_keys(self.names, grouping)
            held_out = split_groups(self.labels, keys, fraction, seed)
        else:
            warn_of_frames(self.names)
            held_out = np.zeros(len(self), bool)
            for label in range(len(self.class_names)):
                members = np.flatnonzero(self.labels == label)
                held_out[members[: int(fraction * len(members))]] = True
        return self.subset(~held_out), self.subset(held_out)
