"""What a model was trained on, kept in its file in little room."""

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mesonet.files import file_hash

MOST_HASHES = 1024
_DIGITS = 10
_MOST_SETS = 100
_MAX_NAME = 100
_HASH = re.compile(f"[0-9a-f]{{{_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many of some images a model was trained on.

    Attributes:
        found: images that it was trained on.
        compared: images of which that is known, ``found`` among them.
    """

    found: int
    compared: int

    @property
    def share(self) -> float | None:
        """Share of images that it was trained on, 0..1; None where nothing is known of any."""
        return self.found / self.compared if self.compared else None

    def sentence(self, model: str, data: object) -> str:
        """A warning for people."""
        return (
            f"{model} was trained on images of {data}: on {self.found} of the {self.compared} that "
            "could be compared; the figures are better than they would be on images that are new "
            "to it"
        )


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Names of training sets, and the smallest hashes of their images.

    Of the images of other data, those whose hash is no larger than the largest one here can be
    told apart: they are here, or the model was not trained on them. For evenly spread hashes that
    is a sample (bottom-k sketch, Cohen & Kaplan, PODC 2007).

    Attributes:
        sets: names of the training sets or folders.
        images: how many images they have.
        hashes: the `MOST_HASHES` smallest ones of their files' SHA-256, each cut to ten
            hexadecimal digits, sorted; all of them where there are fewer images.
    """

    sets: tuple[str, ...]
    images: int = 0
    hashes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = all(isinstance(name, str) and 0 < len(name) <= _MAX_NAME for name in self.sets)
        if not names or len(self.sets) > _MOST_SETS:
            raise ValueError("training sets have at most a hundred names of a hundred characters")
        if not isinstance(self.images, int) or self.images < 0:
            raise ValueError(f"the number of training images must be 0 or more: {self.images!r}")
        if len(self.hashes) > MOST_HASHES or not all(map(_HASH.fullmatch, self.hashes)):
            raise ValueError(f"at most {MOST_HASHES} hashes of ten digits describe training images")
        if list(self.hashes) != sorted(set(self.hashes)):
            raise ValueError("the hashes of training images must be sorted")

    @classmethod
    def of(cls, sets: Iterable[str], paths: Sequence[Path]) -> Self:
        """Describe image files; those that cannot be read are left out."""
        hashes = sorted({hash_[:_DIGITS] for hash_ in hash_images(paths)})
        names = tuple(dict.fromkeys(name[:_MAX_NAME] or "?" for name in sets))
        return cls(names[:_MOST_SETS], len(hashes), tuple(hashes[:MOST_HASHES]))

    def and_before(self, earlier: "TrainingData | None") -> Self:
        """Add what a model had been trained on before."""
        if earlier is None:
            return self
        hashes = sorted({*self.hashes, *earlier.hashes})
        partial = [data for data in (self, earlier) if not data._complete]
        if not partial:
            images = len(hashes)
        elif set(self.sets) & set(earlier.sets):
            images = max(self.images, earlier.images)
        else:
            images = self.images + earlier.images
        ends = [data.hashes[-1] if data.hashes else "" for data in partial]
        hashes = [hash_ for hash_ in hashes if all(hash_ <= end for end in ends)]
        sets = tuple(dict.fromkeys((*earlier.sets, *self.sets)))[:_MOST_SETS]
        return type(self)(sets, images, tuple(hashes[:MOST_HASHES]))

    @property
    def _complete(self) -> bool:
        return len(self.hashes) == self.images

    def overlap(self, hashes: Iterable[str]) -> Overlap:
        """Compare with other images.

        Args:
            hashes: SHA-256 of each, in hexadecimal; an empty text is passed over.
        """
        if not self.hashes:
            return Overlap(0, 0)
        cut = [hash_[:_DIGITS] for hash_ in hashes if hash_]
        if not self._complete:
            cut = [hash_ for hash_ in cut if hash_ <= self.hashes[-1]]
        known = set(self.hashes)
        return Overlap(sum(hash_ in known for hash_ in cut), len(cut))

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {"sets": list(self.sets), "images": self.images, "hashes": list(self.hashes)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: a value is out of range.
            TypeError, KeyError: a value is missing or of the wrong kind.
        """
        return cls(tuple(values["sets"]), values["images"], tuple(values["hashes"]))


def hash_images(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """SHA-256 of those files that can be read."""
    hashes = []
    for path in paths:
        with suppress(OSError):
            hashes.append(file_hash(path))
    return hashes
