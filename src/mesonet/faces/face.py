"""A face that was found, and what finds faces."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""Left, top, width and height in pixels of the upright picture."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a picture.

    Attributes:
        box: left, top, width and height in pixels of the upright picture, inside it.
        score: how sure the face detector is that this is a face, 0..1.
        landmarks: x and y, in pixels, of the eye, the eye, the nose's tip, the mouth's corner and
            the mouth's corner; of a pair the one further left in the picture comes first.
    """

    box: Box
    score: float
    landmarks: tuple[tuple[float, float], ...] = ()


class FaceDetector(Protocol):
    """What finds faces; `mesonet.faces.CenterFace` is the one that comes with the package."""

    def find(self, image: NDArray[np.uint8], *, quick: bool = False) -> list[Face]:
        """Find the faces in RGB pixels 0..255 of shape ``(height, width, 3)``, surest first.

        Several threads may call it at once.

        Args:
            image: the picture.
            quick: it is one of many frames: faces that are too small to judge need not be found.
        """
        ...


def overlap(box: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(box[0] + box[2], other[0] + other[2]) - max(box[0], other[0])
    height = min(box[1] + box[3], other[1] + other[3]) - max(box[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = box[2] * box[3] + other[2] * other[3] - shared
    return shared / union if union > 0 else 0.0
