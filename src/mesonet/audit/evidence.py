"""What the findings are drawn from: a folder, the one it is held against, and their images."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mesonet.audit.facts import Facts
from mesonet.audit.lookalikes import cluster_look_alikes
from mesonet.audit.survey import Ints, Survey
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import Grouping, group_keys
from mesonet.errors import DataError
from mesonet.progress import Progress


@dataclass(frozen=True, slots=True)
class Evidence:
    """The readable images of the audited folder and, after them, of the one it is held against.

    Attributes:
        folder: what is audited.
        other: what it is held against, or None.
        facts: what the files say of themselves, ``n``.
        files: equal numbers for equal files, shape ``(n,)``.
        copies: cluster of equal pictures, shape ``(n,)``; see `mesonet.audit.lookalikes.join`.
        look_alikes: cluster of nearly equal pictures, likewise; those of one group, and those of
            ``other`` among themselves, were not compared.
        groups: group of each image, ``n``, or None where no grouping is known.
    """

    folder: ClassFolders
    other: ClassFolders | None
    facts: list[Facts]
    files: Ints
    copies: Ints
    look_alikes: Ints
    groups: NDArray[np.str_] | None

    @classmethod
    def gather(
        cls,
        folders: list[ClassFolders],
        survey: Survey,
        groupings: tuple[Grouping | None, Grouping | None],
        progress: Progress | None = None,
    ) -> Self:
        """Compare the images that a survey of one or two folders has found readable.

        Raises:
            DataError: a class has no readable image.
            ValueError: a grouping does not fit the images.
        """
        masks = np.split(survey.readable, [len(folders[0])])
        folders = [_readable(folder, mask) for folder, mask in zip(folders, masks, strict=False)]
        folder, other = folders[0], folders[1] if len(folders) > 1 else None
        groups = _groups(folders, groupings)
        apart = np.arange(len(survey.facts))
        if groups is not None:
            _, apart = np.unique(groups, return_inverse=True)
        apart = apart.astype(np.int64)
        apart[len(folder) :] = -1
        is_fake = np.concatenate([part.is_fake for part in folders])
        copies = _equal(survey.pixel_hashes)
        look_alikes = cluster_look_alikes(
            survey.colours, survey.greys, copies, is_fake + 2 * (apart < 0), apart, progress
        )
        return cls(
            folder, other, survey.facts, _equal(survey.file_hashes), copies, look_alikes, groups
        )

    @property
    def is_other(self) -> NDArray[np.bool_]:
        """True for the images of ``other``, shape ``(n,)``."""
        return np.arange(len(self.copies)) >= len(self.folder)

    @property
    def is_fake(self) -> NDArray[np.bool_]:
        """True for manipulated images, shape ``(n,)``."""
        parts = [self.folder.is_fake] + ([self.other.is_fake] if self.other else [])
        return np.concatenate(parts)

    @property
    def paths(self) -> list[str]:
        """As they were named, ``n``."""
        return [str(path) for part in (self.folder, self.other) if part for path in part.paths]

    def own_clusters(self, clusters: Ints) -> Iterator[Ints]:
        """Indices of the clusters' images in the folder, where there are at least two."""
        return (members for members in members_of(clusters[: len(self.folder)]) if len(members) > 1)


def members_of(keys: NDArray[np.generic]) -> list[Ints]:
    """Indices of the images of each key."""
    if not len(keys):
        return []
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    return np.split(order, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)


def _readable(folder: ClassFolders, mask: NDArray[np.bool_]) -> ClassFolders:
    rest = folder.subset(mask)
    for label, name in enumerate(folder.class_names):
        if not np.any(rest.labels == label):
            raise DataError(folder.root / name, "no image of this class can be read")
    return rest


def _groups(
    folders: list[ClassFolders], groupings: tuple[Grouping | None, Grouping | None]
) -> NDArray[np.str_] | None:
    own, others = groupings
    if own is None:
        return None
    if len(folders) == 1:
        return np.array(group_keys(folders[0].names, own))
    if others is None:  # together, because the pairs of people are chained through both
        return np.array(group_keys([name for folder in folders for name in folder.names], own))
    keys = [group_keys(part.names, how) for part, how in zip(folders, (own, others), strict=True)]
    return np.array([key for part in keys for key in part])


def _equal(hashes: list[bytes]) -> Ints:
    """Index of the first image with the same hash."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(key, index) for index, key in enumerate(hashes)], np.int64)
