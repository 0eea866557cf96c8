"""Whether a verdict holds when the face is changed in ways that say nothing about truth.

A face that passed through a messenger is as real or as forged as before. Where the verdict moves
under such changes, the score stands for them rather than for the face.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mesonet.detector import Band
from mesonet.faces import Face, crop_face
from mesonet.images.perturbations import blur, jpeg, resize_and_back
from mesonet.preprocessing import Pixels

_View = Callable[[Pixels, Face], Pixels]

LIMIT = 3
"""So many of the changes have to move a verdict for it to count as fragile.

One alone moves a fifth of the verdicts on faces like those of the training, and most of them were
right: see ``docs/benchmarks/README.md``.
"""

_BLUR = 1 / 256  # of the crop's side: a pixel where a network sees 256 of them


def _after(change: Callable[[Pixels], Pixels]) -> _View:
    return lambda image, face: change(crop_face(image, face))


CHANGES: dict[str, _View] = {
    "JPEG 70": _after(lambda crop: jpeg(crop, 70)),
    "JPEG 50": _after(lambda crop: jpeg(crop, 50)),
    "half size and back": _after(lambda crop: resize_and_back(crop, 0.5, interpolation="bicubic")),
    "crop 1.2": lambda image, face: crop_face(image, face, 1.2),
    "crop 1.4": lambda image, face: crop_face(image, face, 1.4),
    "mirrored": _after(lambda crop: np.ascontiguousarray(crop[:, ::-1])),
    "slightly blurred": _after(lambda crop: blur(crop, max(0.3, _BLUR * crop.shape[0]))),
}
"""Mild changes by name; each cuts a face out of a picture and gives its pixels."""


@dataclass(frozen=True, slots=True)
class Fragility:
    """What mild changes of a face do to its score.

    Attributes:
        untouched: the face's own ``fake_probability``, 0..1.
        changed: that of each of `CHANGES`.
        band: scores from the first to below the second are uncertain.
    """

    untouched: float
    changed: dict[str, float]
    band: Band

    @property
    def low(self) -> float:
        """The lowest of all scores."""
        return min(self.untouched, *self.changed.values())

    @property
    def high(self) -> float:
        """The highest of all scores."""
        return max(self.untouched, *self.changed.values())

    @property
    def turned_by(self) -> tuple[str, ...]:
        """The changes that move the face below, into or above the band."""
        own = self._place(self.untouched)
        return tuple(name for name, score in self.changed.items() if self._place(score) != own)

    @property
    def is_fragile(self) -> bool:
        """Whether a verdict that decided does not hold under `LIMIT` or more changes."""
        return self._place(self.untouched) != 0 and len(self.turned_by) >= LIMIT

    @property
    def text(self) -> str:
        """What was found, in a sentence."""
        count = len(self.changed)
        if not self.turned_by:
            return f"None of {count} mild changes of the face moves the verdict."
        names = ", ".join(self.turned_by)
        move = "moves" if len(self.turned_by) == 1 else "move"
        some = f"{len(self.turned_by)} of {count} mild changes"
        moved = f"{some} of the face {move} the verdict ({names})"
        if self.is_fragile:
            return f"Uncertain, as {moved}: it hangs on what says nothing about truth."
        return f"{moved}."

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {
            "low": self.low,
            "high": self.high,
            "changed": self.changed,
            "turned_by": list(self.turned_by),
            "fragile": self.is_fragile,
            "text": self.text,
        }

    def _place(self, score: float) -> int:
        """Below the band -1, within it 0, above it 1."""
        return int(score >= self.band[1]) - int(score < self.band[0])


def changed_faces(image: Pixels, face: Face) -> list[Pixels]:
    """Cut a face out of RGB pixels 0..255 as each of `CHANGES` does; squares of several sizes."""
    return [change(image, face) for change in CHANGES.values()]
