"""A dataset copied into a new division."""

import os
import shutil
from pathlib import Path, PurePath

import numpy as np
from sklearn.model_selection import train_test_split

from mesonet.datasets.class_folders import ClassFolders, class_folders, warn_of_frames
from mesonet.datasets.groups import Grouping, group_keys, split_groups
from mesonet.errors import ArgumentError, DataError
from mesonet.files import writing


def split_dataset(
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    test_fraction: float = 0.1,
    *,
    groups: Grouping | None = None,
    seed: int = 0,
) -> dict[str, dict[str, int]]:
    """Copy a dataset into a new division: ``train/<class>/`` and ``test/<class>/``.

    Args:
        source: a folder of class folders, or of parts that each hold the same class folders,
            such as ``train/{real,df}`` and ``validation/{real,df}``, which are pooled.
        destination: a folder that does not exist yet. It appears when all files are there.
        test_fraction: share of the images to hold out, between 0 and 1.
        groups: which images must stay together, see `mesonet.datasets.groups.group_keys`; without
            it images are drawn one by one, with the same share of every class.
        seed: another seed gives another division.

    Returns:
        How many images each part has of each class: ``{"train": {"real": 900, ...}, ...}``.

    Raises:
        DataError: the source is not a dataset, the destination exists, or two parts have
            different images of the same name.
        ValueError: the groups cannot be divided.
    """
    source, destination = Path(source), Path(destination)
    if destination.exists():
        raise DataError(destination, "this folder exists already")
    if not 0 < test_fraction < 1:
        raise ArgumentError(f"the test fraction must lie between 0 and 1, not {test_fraction}")
    parts = _parts(source)
    class_names = parts[0].class_names
    images = dict[PurePath, tuple[Path, int]]()
    for part in parts:
        for name, path, label in zip(part.names, part.paths, part.labels, strict=True):
            if name in images:
                raise DataError(path, f"would get the same name as {images[name][0]}")
            images[name] = path, int(label)
    labels = [label for _, label in images.values()]
    if groups is None:
        warn_of_frames(images)
        _, test = train_test_split(
            np.arange(len(images)), test_size=test_fraction, stratify=labels, random_state=seed
        )
        held_out = np.isin(np.arange(len(images)), test)
    else:
        held_out = split_groups(labels, group_keys(images, groups), test_fraction, seed)

    counts = {part: dict.fromkeys(class_names, 0) for part in ("train", "test")}
    destination.parent.mkdir(parents=True, exist_ok=True)
    with writing(destination) as result:
        for (name, (path, label)), is_test in zip(images.items(), held_out, strict=True):
            part_name = "test" if is_test else "train"
            target = result / part_name / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
            counts[part_name][class_names[label]] += 1
    return counts


def _parts(source: Path) -> list[ClassFolders]:
    """The class folders of a dataset, or those of each of its parts."""
    folders = class_folders(source)
    inner = {tuple(folder.name for folder in class_folders(part)) for part in folders}
    if len(inner) == 1 and len(next(iter(inner))) == 2:
        return [ClassFolders.read(part) for part in folders]
    return [ClassFolders.read(source)]
