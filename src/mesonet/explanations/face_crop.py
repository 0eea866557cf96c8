"""A face as a network sees it, and scoring changed versions of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mesonet.detector import Detector
from mesonet.faces import Face, crop_face, crop_square
from mesonet.model_info import logit
from mesonet.parallel import batched, cores, map_ahead
from mesonet.preprocessing import Pixels

Map = NDArray[np.float32]
"""How much each pixel carried, shape ``(size, size)``: above 0 towards manipulated."""

_BATCH = 8


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """A face crop in the network's size.

    Attributes:
        pixels: RGB 0..255, shape ``(size, size, 3)``.
        landmarks: eyes, nose, corners of the mouth as x and y in these pixels, shape ``(5, 2)``;
            None where they are not known.
    """

    pixels: Pixels
    landmarks: NDArray[np.float32] | None = None

    @classmethod
    def cut(cls, detector: Detector, image: Pixels, face: Face) -> Self:
        """Cut a face out of RGB pixels of shape ``(height, width, 3)`` for a detector."""
        preprocessing = detector.info.preprocessing
        pixels = preprocessing.resize(Image.fromarray(crop_face(image, face)))
        if len(face.landmarks) != 5:
            return cls(pixels)
        x, y, side = crop_square(image.shape[:2], face)
        points = (np.array(face.landmarks, np.float32) - (x, y)) * (preprocessing.size / side)
        return cls(pixels, points.astype(np.float32))

    @property
    def size(self) -> int:
        """Height and width."""
        return len(self.pixels)


def fake_log_odds(detector: Detector, pictures: Iterable[Pixels]) -> NDArray[np.float64]:
    """The network's own log odds of manipulation, on all cores; shape ``(n,)``.

    Args:
        detector: scores them.
        pictures: RGB 0..255, each of shape ``(size, size, 3)``; taken as they are scored.
    """

    def score(batch: list[Pixels]) -> NDArray[np.float32]:
        return detector.raw_scores(detector.info.preprocessing.scale(np.stack(batch)))

    scores = list(map_ahead(score, batched(pictures, _BATCH), cores()))
    return logit(np.concatenate(scores)) if scores else np.zeros(0)
