"""Which images belong together, and splits that keep them together.

Frames of one video, or faces of one pair of people, are nearly the same picture. When they
lie on both sides of a split, a detector is rewarded for remembering faces, and every figure
measured on the split is too good.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from mesonet.errors import ArgumentError, DataError
from mesonet.files import read_table

Grouping = Callable[[PurePath], str] | str | os.PathLike[str]

_FRAME_NAME = re.compile(r"(?P<video>.+)_\d+$")
_PAIR_NAME = re.compile(r"(?P<first>[^_]+)(?:_(?P<second>[^_]+))?_\d+$")
_FOLDS = 20


def _video(path: PurePath) -> str:
    match = _FRAME_NAME.match(path.stem)
    return match["video"] if match else path.stem


def _pairs(paths: Sequence[PurePath]) -> list[str]:
    """Connect the people that one image names, and take each connected set as a group."""
    people: dict[str, int] = {}
    firsts, seconds = [], []
    for path in paths:
        match = _PAIR_NAME.match(path.stem)
        first = match["first"] if match else path.stem
        second = match["second"] if match else None
        firsts.append(people.setdefault(first, len(people)))
        seconds.append(people.setdefault(second or first, len(people)))
    pairs = coo_array((np.ones(len(paths)), (firsts, seconds)), shape=(len(people), len(people)))
    _, group = connected_components(pairs, directed=False)
    named: dict[int, str] = {}
    for name, index in sorted(people.items()):
        named.setdefault(int(group[index]), name)
    return [named[int(group[first])] for first in firsts]


def _read_table(table: Path) -> dict[str, str]:
    groups = {name: group for name, (group,) in read_table(table, ["group"]).items()}
    for name, group in groups.items():
        if not group:
            raise DataError(table, f"{name} has no group")
    return groups


def group_keys(paths: Iterable[PurePath], grouping: Grouping) -> list[str]:
    """Name the group of every image.

    Args:
        paths: image paths relative to the data folder, as ``real/12_034.jpg``.
        grouping: a function from such a path to its group; or ``"video"`` for names like
            ``<video>_<frame>``; or ``"pair"`` for FaceForensics++ names (``<video>_<n>`` and
            ``<target>_<source>_<n>``), where everybody who is connected through a swap shares
            a group; or a CSV file with the columns ``file`` (relative path) and ``group``.

    Returns:
        One key for each path.

    Raises:
        ValueError: an unknown preset, a file that is no such CSV, or images it does not name.
    """
    paths = list(paths)
    if callable(grouping):
        return [str(grouping(path)) for path in paths]
    if grouping == "video":
        return [_video(path) for path in paths]
    if grouping == "pair":
        return _pairs(paths)
    table = Path(grouping)
    if not table.is_file():
        raise ArgumentError(
            f"--groups takes 'video', 'pair' or a CSV file; {grouping!s} is neither"
        )
    known = _read_table(table)
    missing = [path.as_posix() for path in paths if path.as_posix() not in known]
    if missing:
        raise DataError(
            table, f"{len(missing)} of {len(paths)} images are not listed, such as {missing[0]}"
        )
    return [known[path.as_posix()] for path in paths]


def look_like_frames(paths: Iterable[PurePath]) -> bool:
    """Tell whether names suggest several frames of each video: ``<video>_<frame>``."""
    names = [_FRAME_NAME.match(path.stem) for path in paths]
    videos = [(match["video"]) for match in names if match]
    return len(videos) > 0.5 * len(names) and len(set(videos)) * 3 <= len(videos)


def split_groups(
    labels: Sequence[int] | NDArray[np.integer],
    groups: Sequence[str],
    fraction: float,
    seed: int = 0,
) -> NDArray[np.bool_]:
    """Choose whole groups so that about ``fraction`` of each class is held out.

    Args:
        labels: class of each image, shape ``(n,)``.
        groups: group of each image, as many.
        fraction: share of the images to hold out, between 0 and 1.
        seed: another seed gives another choice.

    Returns:
        Mask of shape ``(n,)``, True for the held-out images. Both sides hold every class.

    Raises:
        ValueError: there are too few groups for that.
    """
    labels = np.asarray(labels)
    keys = np.asarray(groups)
    held_out = np.zeros(len(labels), bool)
    classes = np.unique(labels)
    fewest = min(len(np.unique(keys[labels == label])) for label in classes)
    folds = min(_FOLDS, len(np.unique(keys)), *(np.sum(labels == label) for label in classes))
    if fewest < 2 or folds < 2:
        raise DataError("", "a split by group needs at least two groups of each class")
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    order = [test for _, test in splitter.split(labels, labels, keys) if len(test)]
    for test in order:
        enough = held_out.mean() + len(test) / len(labels) / 2 > fraction
        if enough and set(labels[held_out]) == set(classes):
            break
        held_out[test] = True
    if set(labels[~held_out]) != set(classes):
        raise DataError("", "the groups are too few or too uneven to hold out that share of them")
    return held_out


def spread_over_groups(groups: Sequence[str], count: int, seed: int = 0) -> NDArray[np.intp]:
    """Draw so many images from as many groups as there are: a second one of a group comes last.

    Args:
        groups: group of each image.
        count: images to draw; all of them where there are fewer.
        seed: another seed draws others.

    Returns:
        Their indices, sorted.
    """
    taken: dict[str, int] = {}
    turns: list[tuple[int, int, int]] = []
    for index in np.random.default_rng(seed).permutation(len(groups)).tolist():
        turn = taken.get(groups[index], 0)
        taken[groups[index]] = turn + 1
        turns.append((turn, len(turns), index))
    return np.array(sorted(index for _, _, index in sorted(turns)[:count]), np.intp)
