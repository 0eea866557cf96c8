"""The audit of a data folder, alone or held against another."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mesonet.audit import composition, pictures
from mesonet.audit.evidence import Evidence
from mesonet.audit.finding import Finding, Severity, counted
from mesonet.audit.survey import survey
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import Grouping
from mesonet.errors import ArgumentError

SCHEMA_VERSION = 1
Watch = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found.

    Attributes:
        folder: the data folder.
        other: the folder it was held against, or None.
        summary: what the folders hold, a sentence each.
        findings: leaks first, then warnings, then notes.
    """

    folder: Path
    other: Path | None
    summary: tuple[str, ...]
    findings: tuple[Finding, ...]

    def of(self, severity: Severity) -> Sequence[Finding]:
        """The findings of one severity."""
        return [finding for finding in self.findings if finding.severity is severity]

    @property
    def has_leaks(self) -> bool:
        """Whether figures measured on this data cannot be believed."""
        return bool(self.of(Severity.LEAK))

    @property
    def verdict(self) -> str:
        """One sentence."""
        warnings = counted(len(self.of(Severity.WARNING)), "warning")
        if self.has_leaks:
            return (
                f"{counted(len(self.of(Severity.LEAK)), 'leak')} and {warnings}: do not believe "
                "figures measured on this data before the leaks are closed."
            )
        if self.of(Severity.WARNING):
            return f"No leak, but {warnings}: figures from this data may be too good, see above."
        return "Nothing found that would make figures from this data too good."

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "folder": str(self.folder),
            "against": self.other and str(self.other),
            "summary": list(self.summary),
            "findings": [finding.to_dict() for finding in self.findings],
            "has_leaks": self.has_leaks,
            "verdict": self.verdict,
        }


def audit(
    folder: str | os.PathLike[str],
    against: str | os.PathLike[str] | None = None,
    *,
    groups: Grouping | None = None,
    against_groups: Grouping | None = None,
    watch: Watch | None = None,
) -> Audit:
    """Look for what would make the figures of a data folder too good.

    Found are equal and nearly equal pictures, groups on both sides, frames without a grouping,
    properties of the files that tell the classes apart, uneven classes, few groups and unreadable
    files. Unreadable files are left out of everything else. Near-duplicates may be re-encoded,
    resized, mirrored, edited in places, or framed differently by up to about a sixth.

    Args:
        folder: has two class folders.
        against: another such folder that is to share nothing with the first, as training and test
            data do not.
        groups: see `mesonet.datasets.groups.group_keys`. Pictures of one group are expected
            to be alike.
        against_groups: likewise for ``against``; by default ``groups``.
        watch: called as the work goes on.

    Raises:
        DataError: a folder is missing, has not two class folders, or a class has no readable
            image.
        ValueError: a grouping does not fit the images, or is given for nothing.
    """
    if against_groups is not None and (against is None or groups is None):
        raise ArgumentError("groups of the other folder need that folder and groups of the first")
    folders = [ClassFolders.read(root) for root in (folder, against) if root is not None]
    paths = [path for part in folders for path in part.paths]
    looked = survey(paths, lambda *counts: watch("reading", *counts) if watch else None)
    evidence = Evidence.gather(
        folders,
        looked,
        (groups, against_groups),
        lambda *counts: watch("comparing", *counts) if watch else None,
    )
    findings = [
        *pictures.twins_on_both_sides(evidence),
        *pictures.groups_on_both_sides(evidence),
        *pictures.contradictions(evidence),
        *pictures.look_alikes(evidence),
        *pictures.copies(evidence),
        *composition.frames_without_groups(evidence),
        *composition.shortcuts(evidence),
        *composition.unreadable(looked.unreadable),
        *composition.unlisted([problem for part in folders for problem in part.unlisted]),
        *composition.uneven_classes(evidence),
        *composition.group_sizes(evidence),
    ]
    order = list(Severity)
    findings.sort(key=lambda finding: order.index(finding.severity))
    return Audit(
        folders[0].root,
        folders[1].root if len(folders) > 1 else None,
        _summary(evidence),
        tuple(findings),
    )


def _summary(evidence: Evidence) -> tuple[str, ...]:
    side = evidence.is_other
    sentences = []
    for folder, members in ((evidence.folder, ~side), (evidence.other, side)):
        if folder is None:
            continue
        classes = ", ".join(
            f"{np.sum(folder.labels == label):,} {name}"
            for label, name in enumerate(folder.class_names)
        )
        grouped = ""
        if evidence.groups is not None:
            _, sizes = np.unique(evidence.groups[members], return_counts=True)
            grouped = (
                f" in {counted(len(sizes), 'group')} of {sizes.min():,} to {sizes.max():,} "
                f"(median {np.median(sizes):,.0f})"
            )
        facts = [evidence.facts[index] for index in np.flatnonzero(members)]
        small, large = (
            how(facts, key=lambda image: image.width * image.height) for how in (min, max)
        )
        sizes_text = f"{small.width} x {small.height} px"
        if (large.width, large.height) != (small.width, small.height):
            sizes_text += f" to {large.width} x {large.height} px"
        formats = ", ".join(sorted({image.format for image in facts}))
        sentences.append(
            f"{folder.root}: {counted(len(folder), 'image')} ({classes}){grouped}; "
            f"{formats}, {sizes_text}"
        )
    return tuple(sentences)
