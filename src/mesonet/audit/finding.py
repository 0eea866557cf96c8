"""What an audit says of a data folder."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding harms."""

    LEAK = "leak"
    """Test images are known from training: the figures cannot be believed."""
    WARNING = "warning"
    """The figures may be too good, depending on how the data is used."""
    NOTE = "note"
    """Worth knowing when the figures are read."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    Attributes:
        kind: a name for programs, such as ``"look-alikes"``.
        severity: how much it harms.
        text: what was found, with its counts.
        effect: what it does to the figures, and what to do about it.
        count: how many images are concerned.
        images: the images, as paths; those that belong together in one tuple.
    """

    kind: str
    severity: Severity
    text: str
    effect: str
    count: int
    images: tuple[tuple[str, ...], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return asdict(self) | {"images": [list(together) for together in self.images]}


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A count and its noun: ``1 image``, ``2,000 images``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def percent(share: float) -> str:
    """A share 0..1 in words: ``12 %``; small ones with a decimal."""
    return f"{100 * share:.1f} %" if 0 < share < 0.0995 else f"{100 * share:.0f} %"


def flattered(share: float) -> str:
    """What remembering that share 0..1 of the test images does to an accuracy."""
    return f"an honest accuracy of 80 % would read {80 + 20 * share:.1f} %"
