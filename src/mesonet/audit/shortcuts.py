"""What tells the classes apart without a look at the picture.

A detector takes any shortcut that its training data offers. Where the two classes differ in their
sizes, formats or compression, it can be right without having seen a manipulation, and stays right
on test images of the same origin.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mesonet.audit.facts import Facts
from mesonet.audit.survey import Ints

Counts = NDArray[np.float64]
Value = Callable[[Facts], Hashable]

_MAX_VALUES = 16
_RANGES = 8
_FOLDS = 5
_ROUNDS = 1999
_BLOCK = 100
_SIGNIFICANCE = 0.01
_WORTH_TELLING = 0.55
_ANOTHER = "none of the commonest"


@dataclass(frozen=True, slots=True)
class Property:
    """Something that can be told of an image from its file.

    Attributes:
        about: of the properties about one matter only the most telling is reported.
        name: what it is called.
        value: gives an image's; None where it has none, such as the quality of a PNG.
        numeric: the values have an order, and are put into ranges where there are many.
    """

    about: str
    name: str
    value: Value
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A property that tells the classes apart.

    Attributes:
        name: of the property.
        balanced_accuracy: of a rule that knows nothing but this property, on groups that it was
            not fitted on, 0..1.
        p_value: how often shuffled groups reach that.
        example: the value or range whose share differs most between the classes.
        shares: of the images of class 0 and class 1, how many have it, 0..1.
    """

    name: str
    balanced_accuracy: float
    p_value: float
    example: str
    shares: tuple[float, float]


PROPERTIES = (
    Property("format", "file format", lambda f: f.format),
    Property("mode", "colour mode", lambda f: f.mode),
    Property("size", "image size", lambda f: f"{f.width} x {f.height} px"),
    Property("size", "longer side in pixels", lambda f: max(f.width, f.height), numeric=True),
    Property("shape", "aspect ratio", lambda f: round(f.width / f.height, 2), numeric=True),
    Property("bytes", "file size in bytes", lambda f: f.file_size, numeric=True),
    Property(
        "bytes",
        "file size in bits per pixel",
        lambda f: round(8 * f.file_size / (f.width * f.height), 3),
        numeric=True,
    ),
    Property("tables", "JPEG quality", lambda f: f.jpeg and f.jpeg.quality, numeric=True),
    Property("tables", "JPEG quantisation tables", lambda f: f.jpeg and f.jpeg.table_name),
    Property("colours", "JPEG colour subsampling", lambda f: f.jpeg and f.jpeg.subsampling),
    Property(
        "coding",
        "JPEG coding",
        lambda f: f.jpeg and ("progressive" if f.jpeg.progressive else "baseline"),
    ),
    Property("metadata", "metadata in the file", lambda f: " + ".join(f.metadata) or "none"),
    Property("software", "software named in the file", lambda f: f.software or "none"),
)


def find_shortcuts(facts: Sequence[Facts], labels: Ints, groups: Ints) -> list[Shortcut]:
    """Name the properties that tell the classes apart, the most telling first.

    Of each property a rule is made: every value, or range of values, is called the class that has
    it more often. The rule is fitted on four fifths of the groups and tried on the others, in
    turn. It counts when its balanced accuracy is at least 0.55 and a permutation test over groups
    finds it clearly above chance (Good, 2005: "Permutation, Parametric and Bootstrap Tests of
    Hypotheses"); the tests together raise a false alarm in one of a hundred sets.

    Args:
        facts: of each image, ``n``.
        labels: class of each image, 0 or 1, shape ``(n,)``.
        groups: images that belong together, shape ``(n,)``; the images of one group and class
            count as one piece of evidence.
    """
    tested: list[tuple[str, Shortcut]] = []
    for number, known in enumerate(PROPERTIES):
        values = [known.value(image) for image in facts]
        has_one = np.array([value is not None for value in values], bool)
        bins, names = _bins([value for value in values if value is not None], known.numeric)
        if len(names) > 1 and len(np.unique(labels[has_one])) == 2:
            rng = np.random.default_rng(number)
            shortcut = _test(known.name, bins, names, labels[has_one], groups[has_one], rng)
            tested.append((known.about, shortcut))
    found: dict[str, Shortcut] = {}
    for about, shortcut in sorted(tested, key=lambda item: -item[1].balanced_accuracy):
        clear = shortcut.p_value <= _SIGNIFICANCE / len(tested)
        if clear and shortcut.balanced_accuracy >= _WORTH_TELLING:
            found.setdefault(about, shortcut)
    return list(found.values())


def _bins(values: Sequence[Hashable], numeric: bool) -> tuple[Ints, list[str]]:
    """Number the values, the 16 commonest of them, and name each number."""
    distinct: dict[Hashable, int] = {}
    for value in values:
        distinct[value] = distinct.get(value, 0) + 1
    if numeric and len(distinct) > _MAX_VALUES:
        numbers = np.array(values, np.float64)
        edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _RANGES + 1)))
        bins = np.searchsorted(edges[1:-1], numbers, side="right")
        return bins, [f"{low:,g} to {high:,g}" for low, high in pairwise(edges)]
    common = sorted(distinct, key=lambda value: -distinct[value])[:_MAX_VALUES]
    order = {value: number for number, value in enumerate(common)}
    names = [str(value) for value in order]
    if len(distinct) > len(common):
        names.append(_ANOTHER)
    return np.array([order.get(value, len(common)) for value in values]), names


def _test(
    name: str,
    bins: Ints,
    names: list[str],
    labels: Ints,
    groups: Ints,
    rng: np.random.Generator,
) -> Shortcut:
    _, group = np.unique(groups, return_inverse=True)
    pieces, piece = np.unique(2 * group + labels, return_inverse=True)
    counts = np.zeros((len(pieces), len(names)))
    np.add.at(counts, (piece, bins), 1)
    folds = rng.permutation(group.max() + 1)[pieces // 2] % _FOLDS
    truth = (pieces % 2).astype(np.float64)
    accuracy = _balanced_accuracy(counts, folds, truth[None])[0]
    as_good = 0
    for start in range(0, _ROUNDS, _BLOCK):
        rounds = min(_BLOCK, _ROUNDS - start)
        shuffled = rng.permuted(np.tile(truth, (rounds, 1)), axis=1)
        as_good += int(np.sum(_balanced_accuracy(counts, folds, shuffled) >= accuracy))
    shares = np.array([counts[truth == label].sum(axis=0) for label in (0, 1)])
    shares /= shares.sum(axis=1, keepdims=True)
    telling = int(np.argmax(np.abs(shares[1] - shares[0])))
    return Shortcut(
        name=name,
        balanced_accuracy=float(accuracy),
        p_value=(1 + as_good) / (1 + _ROUNDS),
        example=names[telling],
        shares=(float(shares[0, telling]), float(shares[1, telling])),
    )


def _balanced_accuracy(counts: Counts, folds: Ints, truth: Counts) -> Counts:
    """Cross-validated balanced accuracy of the rule, for several truths at once.

    Args:
        counts: images of each piece of evidence by value, shape ``(pieces, values)``.
        folds: of each piece, shape ``(pieces,)``.
        truth: class of each piece, 0 or 1, shape ``(truths, pieces)``.

    Returns:
        Shape ``(truths,)``, 0..1.
    """
    used = np.unique(folds)
    tried = np.stack(
        [
            [labels[:, folds == fold] @ counts[folds == fold] for fold in used]
            for labels in (1 - truth, truth)
        ]
    )  # by class, fold, truth and value
    fitted = tried.sum(axis=1, keepdims=True) - tried
    shares = (fitted + 1) / (fitted.sum(axis=3, keepdims=True) + counts.shape[1])
    calls_second = np.where(np.isclose(shares[1], shares[0]), 0.5, shares[1] > shares[0])
    right = np.stack([tried[0] * (1 - calls_second), tried[1] * calls_second]).sum(axis=(1, 3))
    accuracies: Counts = (right / tried.sum(axis=(1, 3))).mean(axis=0)
    return accuracies
