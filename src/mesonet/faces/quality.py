"""Which faces are good enough to be judged."""

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mesonet.faces.crop import crop_face
from mesonet.faces.face import Face

Flaw = Literal["face_too_small", "blurred", "dark"]

MIN_SIZE = 32
MIN_SHARPNESS = 0.2
MIN_BRIGHTNESS = 40

_SIDE = 96
_MARGIN = 6


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be seen.

    Attributes:
        size: longer side of its box in pixels.
        sharpness: energy of the Laplacian over energy of the gradient, in a face scaled down to
            96 pixels: 1 to 4 in photographs, about .5, .26 and .16 where those are blurred by a
            Gaussian of 1, 1.5 and 2 pixels. Contrast and light cancel out.
        brightness: luma, 0..255, that a tenth of the face exceeds.
    """

    size: float
    sharpness: float
    brightness: float

    @property
    def flaw(self) -> Flaw | None:
        """Why the face cannot be judged; None for one that can.

        The limits are low: ordinary photographs pass, and of the faces of the Deepfake Detection
        Challenge, which has dark and blurred ones on purpose, two or three in a hundred do not.
        """
        if self.size < MIN_SIZE:
            return "face_too_small"
        if self.brightness < MIN_BRIGHTNESS:
            return "dark"
        return "blurred" if self.sharpness < MIN_SHARPNESS else None

    def to_dict(self) -> dict[str, Any]:
        """Plain types, rounded to what can be told."""
        return {
            "size": round(self.size, 1),
            "sharpness": round(self.sharpness, 3),
            "brightness": round(self.brightness, 1),
        }


def measure_quality(image: NDArray[np.uint8], face: Face) -> Quality:
    """Measure a face in RGB pixels 0..255 of shape ``(height, width, 3)``."""
    crop = crop_face(image, face)
    margin = crop.shape[0] // _MARGIN
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    grey = grey[margin : crop.shape[0] - margin, margin : crop.shape[1] - margin]
    if grey.shape[0] > _SIDE:
        grey = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    luma = np.asarray(grey, np.float32)
    across, down = (cv2.Sobel(luma, cv2.CV_32F, *axis) / 8 for axis in ((1, 0), (0, 1)))
    gradient = float((across**2 + down**2).mean())
    laplacian = float((cv2.Laplacian(luma, cv2.CV_32F) ** 2).mean())
    return Quality(
        size=max(face.box[2:]),
        sharpness=laplacian / gradient if gradient > 0 else 0.0,
        brightness=float(np.percentile(luma, 90)),
    )
