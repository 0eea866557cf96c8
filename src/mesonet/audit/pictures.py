"""Findings about pictures, or groups of them, that come more than once."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mesonet.audit.evidence import Evidence, members_of
from mesonet.audit.finding import Finding, Severity, counted, flattered, percent
from mesonet.audit.survey import Ints

_HELD_OUT = 0.2


def contradictions(evidence: Evidence) -> Iterable[Finding]:
    """Equal pictures in both classes."""
    is_fake = evidence.is_fake
    clusters = [
        members
        for members in evidence.own_clusters(evidence.copies)
        if len(np.unique(is_fake[members])) > 1
    ]
    if clusters:
        yield Finding(
            "contradictions",
            Severity.LEAK,
            f"{counted(len(clusters), 'picture lies', 'pictures lie')} in both classes, pixel for "
            "pixel.",
            "One of the two labels is wrong: no detector can be right on both, and training is "
            "told two things of one picture. Take the wrong ones out.",
            sum(map(len, clusters)),
            _named(evidence, clusters),
        )


def copies(evidence: Evidence) -> Iterable[Finding]:
    """Equal pictures in one class of the folder."""
    is_fake = evidence.is_fake
    keys = 2 * evidence.copies + is_fake
    clusters = list(evidence.own_clusters(keys))
    if not clusters:
        return
    extra = sum(map(len, clusters)) - len(clusters)
    files = sum(len(members) - len(np.unique(evidence.files[members])) for members in clusters)
    also_files = f" ({files:,} as equal files)" if files else ""
    effect = "Each counts several times in every mean."
    if evidence.groups is None:
        effect += " Without groups, a split may also put a picture and its copy on both sides."
    yield Finding(
        "copies",
        Severity.WARNING if evidence.groups is None else Severity.NOTE,
        f"{counted(len(clusters), 'picture comes', 'pictures come')} more than once in a class, "
        f"pixel for pixel: {counted(extra, 'image')} too many{also_files}.",
        effect + " Keep one of each.",
        extra,
        _named(evidence, clusters),
    )


def look_alikes(evidence: Evidence) -> Iterable[Finding]:
    """Nearly equal pictures in the folder, where nothing keeps them together."""
    clusters = list(evidence.own_clusters(evidence.look_alikes))
    groups = evidence.groups
    if groups is not None:
        clusters = [members for members in clusters if len(np.unique(groups[members])) > 1]
    if not clusters:
        return
    count = sum(map(len, clusters))
    is_fake = evidence.is_fake
    mixed = sum(len(np.unique(is_fake[members])) > 1 for members in clusters)
    of_all = f"{count:,} of {counted(len(evidence.folder), 'image')}"
    in_both = f"; {mixed:,} of the clusters hold images of both classes" if mixed else ""
    effect = _effect_of_a_split(clusters, is_fake, len(evidence.folder))
    if groups is None:
        yield Finding(
            "look-alikes",
            Severity.WARNING,
            f"{of_all} look nearly like another one (re-encoded, re-framed, mirrored or edited), "
            f"in {counted(len(clusters), 'cluster')}{in_both}.",
            f"{effect} Name the images that belong together (--groups), and split by group.",
            count,
            _named(evidence, clusters),
        )
    else:
        yield Finding(
            "look-alikes across groups",
            Severity.LEAK,
            f"{of_all} look nearly like one of another group, in "
            f"{counted(len(clusters), 'cluster')}{in_both}.",
            f"The groups do not keep what they promise. {effect} Give the images of a cluster one "
            "group.",
            count,
            _named(evidence, clusters),
        )


def twins_on_both_sides(evidence: Evidence) -> Iterable[Finding]:
    """Pictures of the other folder that the folder holds too."""
    if evidence.other is None:
        return
    exact = _with_twin(evidence, evidence.copies)
    near = _with_twin(evidence, evidence.look_alikes) & ~exact
    kinds = (
        ("copies on both sides", exact, evidence.copies, "lie there too, pixel for pixel"),
        ("look-alikes on both sides", near, evidence.look_alikes, "look nearly like one there"),
    )
    for kind, has_twin, clusters, what in kinds:
        count = int(has_twin.sum())
        if count:
            share = count / len(evidence.other)
            yield Finding(
                kind,
                Severity.LEAK,
                f"Of the {counted(len(evidence.other), 'image')} in {evidence.other.root}, "
                f"{count:,} ({percent(share)}) {what} (in {evidence.folder.root})"
                f"{_of_another_class(evidence, has_twin, clusters)}.",
                f"A detector trained on the one and tested on the other is right on these by "
                f"remembering them: {flattered(share)}. Take them out of one side.",
                count,
                _named(evidence, _across(evidence, has_twin, clusters)),
            )


def groups_on_both_sides(evidence: Evidence) -> Iterable[Finding]:
    """Groups that both folders have images of."""
    if evidence.other is None or evidence.groups is None:
        return
    side = evidence.is_other
    own, others = evidence.groups[~side], evidence.groups[side]
    shared = np.intersect1d(own, others)
    if not len(shared):
        return
    is_shared = np.isin(others, shared)
    share = float(is_shared.mean())
    paths = evidence.paths
    examples = tuple(
        (paths[int(np.argmax(own == key))], paths[len(own) + int(np.argmax(others == key))])
        for key in shared
    )
    yield Finding(
        "groups on both sides",
        Severity.LEAK,
        f"{counted(len(shared), 'group is', 'groups are')} on both sides, such as "
        f"{', '.join(shared[:5])}; {int(is_shared.sum()):,} of the "
        f"{counted(len(others), 'image')} in {evidence.other.root} ({percent(share)}) belong to "
        "them.",
        f"A detector knows these people and scenes from training. If it is right on all of them, "
        f"{flattered(share)}. Move whole groups to one side; if the two folders only number their "
        "videos alike, name the groups in a CSV file.",
        int(is_shared.sum()),
        examples,
    )


def _named(evidence: Evidence, clusters: Iterable[Ints]) -> tuple[tuple[str, ...], ...]:
    paths = evidence.paths
    largest_first = sorted(clusters, key=len, reverse=True)
    return tuple(tuple(paths[index] for index in members) for members in largest_first)


def _with_twin(evidence: Evidence, clusters: Ints) -> NDArray[np.bool_]:
    side = evidence.is_other
    return side & np.isin(clusters, clusters[~side])


def _across(evidence: Evidence, has_twin: NDArray[np.bool_], clusters: Ints) -> list[Ints]:
    """The clusters with such an image, without images that are not part of the matter."""
    side = evidence.is_other
    wanted = np.isin(clusters, clusters[has_twin]) & (~side | has_twin)
    indices = np.flatnonzero(wanted)
    return [indices[members] for members in members_of(clusters[indices])]


def _of_another_class(evidence: Evidence, has_twin: NDArray[np.bool_], clusters: Ints) -> str:
    side, keys = evidence.is_other, 2 * clusters + evidence.is_fake
    count = int((has_twin & ~np.isin(keys, keys[~side])).sum())
    return f"; {count:,} of them in the other class only" if count else ""


def _effect_of_a_split(clusters: list[Ints], is_fake: NDArray[np.bool_], total: int) -> str:
    """What a split that knows nothing of the clusters would do."""
    known = {True: 0.0, False: 0.0}
    for members in clusters:
        fakes = int(is_fake[members].sum())
        for here, there in ((fakes, len(members) - fakes), (len(members) - fakes, fakes)):
            if here:
                known[True] += here * (1 - _HELD_OUT ** (here - 1)) / total
                known[False] += here * (1 - _HELD_OUT**there) / total
    parts = []
    if known[True]:
        parts.append(
            f"{percent(known[True])} of its test images a twin of the same class in training, "
            f"and {flattered(known[True])}"
        )
    if known[False]:
        parts.append(
            f"{percent(known[False])} a twin of the other class, which a detector that remembers "
            "the picture gets wrong"
        )
    return f"A random split that holds out a fifth gives {'; '.join(parts)}."
