"""Findings about what a folder is made of."""

from collections.abc import Iterable

import numpy as np

from mesonet.audit.evidence import Evidence, members_of
from mesonet.audit.finding import Finding, Severity, counted, percent
from mesonet.audit.lookalikes import join
from mesonet.audit.shortcuts import find_shortcuts
from mesonet.audit.survey import Ints
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import group_keys, look_like_frames
from mesonet.errors import ImageError

_UNEVEN = 0.6
_FEW_GROUPS = 10
_LARGE_GROUP = 0.1


def unreadable(problems: list[ImageError]) -> Iterable[Finding]:
    """Files that are no usable image."""
    if problems:
        yield Finding(
            "unreadable",
            Severity.WARNING,
            f"{counted(len(problems), 'image')} cannot be read and {_were(problems)} left out.",
            "Tools that skip such files measure on fewer images than the folder seems to hold. "
            "Replace or remove them.",
            len(problems),
            tuple((str(problem),) for problem in problems),
        )


def unlisted(problems: list[ImageError]) -> Iterable[Finding]:
    """Folders that could not be searched."""
    if problems:
        yield Finding(
            "unreadable",
            Severity.WARNING,
            f"{counted(len(problems), 'folder')} cannot be searched; left out.",
            "Nothing here speaks of what lies in there.",
            len(problems),
            tuple((str(problem),) for problem in problems),
        )


def uneven_classes(evidence: Evidence) -> Iterable[Finding]:
    """One class that is much larger than the other."""
    folder = evidence.folder
    shares = np.bincount(folder.labels) / len(folder)
    larger = int(np.argmax(shares))
    if shares[larger] > _UNEVEN:
        yield Finding(
            "uneven classes",
            Severity.NOTE,
            f"{percent(shares[larger])} of the images are {folder.class_names[larger]}.",
            f"Calling every image {folder.class_names[larger]} has an accuracy of "
            f"{percent(shares[larger])}. Read the balanced accuracy or the ROC AUC, and weight "
            "the classes in training.",
            int(np.sum(folder.labels == larger)),
        )


def group_sizes(evidence: Evidence) -> Iterable[Finding]:
    """Few groups, or few images where there are none, or a group that outweighs the others."""
    folder = evidence.folder
    if evidence.groups is None:
        for label, name in enumerate(folder.class_names):
            count = int(np.sum(folder.labels == label))
            if count < _FEW_GROUPS:
                yield Finding(
                    "few images",
                    Severity.NOTE,
                    f"The class {name} has only {counted(count, 'image')}.",
                    "Other ones may give quite different figures, and what looks for leaks and "
                    "shortcuts finds little in so few.",
                    count,
                )
        return
    groups = evidence.groups[: len(folder)]
    for label, name in enumerate(folder.class_names):
        count = len(np.unique(groups[folder.labels == label]))
        if count < _FEW_GROUPS:
            yield Finding(
                "few groups",
                Severity.NOTE,
                f"The class {name} has only {counted(count, 'group')}.",
                "However many images they hold, the figures rest on so few videos or people, and "
                "other ones may give quite different figures. Report intervals over groups.",
                int(np.sum(folder.labels == label)),
            )
    keys, sizes = np.unique(groups, return_counts=True)
    largest = int(np.argmax(sizes))
    share = sizes[largest] / len(folder)
    if share > _LARGE_GROUP and len(keys) >= _FEW_GROUPS:
        yield Finding(
            "large group",
            Severity.NOTE,
            f"The group {keys[largest]} holds {percent(share)} of the images.",
            "Figures by image depend on this one group: read those by group.",
            int(sizes[largest]),
        )


def frames_without_groups(evidence: Evidence) -> Iterable[Finding]:
    """Names that look like frames of videos, where no grouping was given."""
    videos = _videos(evidence.folder) if evidence.groups is None else None
    if videos is not None:
        count = len(np.unique(videos))
        yield Finding(
            "frames without groups",
            Severity.WARNING,
            f"The file names look like frames of videos: {counted(len(evidence.folder), 'image')} "
            f"of {counted(count, 'video')}, and no grouping was given.",
            "A split that does not keep videos together has frames of nearly every test video in "
            "training, and rewards a detector for knowing faces. Use --groups video, or pair for "
            "names as in FaceForensics++.",
            len(evidence.folder),
        )


def shortcuts(evidence: Evidence) -> Iterable[Finding]:
    """What tells the classes apart without a look at the picture."""
    folder = evidence.folder
    labels = folder.is_fake.astype(np.int64)
    names = [folder.class_names[int(folder.labels[labels == label][0])] for label in (0, 1)]
    for shortcut in find_shortcuts(evidence.facts[: len(folder)], labels, _together(evidence)):
        shares = " and ".join(
            f"{percent(share)} of {name}"
            for share, name in zip(shortcut.shares, names, strict=True)
        )
        right = percent(shortcut.balanced_accuracy)
        yield Finding(
            "shortcut",
            Severity.WARNING,
            f"The {shortcut.name} alone tells the classes apart in {right} of the cases, where "
            f"guessing has 50 %; it is {shortcut.example} for {shares}, for instance.",
            f"A detector can reach a balanced accuracy of {right} here without seeing a "
            "manipulation, and fail elsewhere. Prepare both classes in the same way, and test on "
            "data of another origin.",
            len(folder),
        )


def _were(problems: list[ImageError]) -> str:
    return "was" if len(problems) == 1 else "were"


def _videos(folder: ClassFolders) -> list[str] | None:
    """The videos that the names speak of; None where they do not, or number a whole class."""
    if not look_like_frames(folder.names):
        return None
    videos = np.array(group_keys(folder.names, "video"))
    fewest = min(len(np.unique(videos[folder.labels == label])) for label in (0, 1))
    return list(videos) if fewest > 1 else None


def _together(evidence: Evidence) -> Ints:
    """Images that are one piece of evidence: of one group or video, or of one picture."""
    folder = evidence.folder
    look_alikes = evidence.look_alikes[: len(folder)]
    groups = _videos(folder) if evidence.groups is None else evidence.groups[: len(folder)]
    if groups is None:
        return look_alikes
    first = np.empty(len(folder), np.int64)
    for members in members_of(np.array(groups)):
        first[members] = members[0]
    return join(first, np.arange(len(folder)), look_alikes)
