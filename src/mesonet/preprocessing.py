"""How an image becomes the input of a network."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mesonet.errors import ArgumentError

Pixels = NDArray[np.uint8]
"""RGB pixels 0..255 of shape ``(height, width, 3)``."""

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]
Scaling = Literal["unit", "symmetric", "imagenet", "none"]

_MAX_SIZE = 4096
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Size, interpolation and scaling a network was trained with.

    Attributes:
        size: height and width in pixels.
        interpolation: resampling filter.
        scaling: range of the values that reach the network: ``"unit"`` 0..1, ``"symmetric"``
            -1..1, ``"imagenet"`` 0..1 normalised by ImageNet's channel means and deviations,
            ``"none"`` 0..255.
    """

    size: int = 256
    interpolation: Interpolation = "nearest"
    scaling: Scaling = "unit"

    def __post_init__(self) -> None:
        if not (isinstance(self.size, int) and 0 < self.size <= _MAX_SIZE):
            raise ArgumentError(f"image size must be 1..{_MAX_SIZE} px, not {self.size!r}")
        if self.interpolation not in get_args(Interpolation):
            raise ArgumentError(f"unknown interpolation {self.interpolation!r}")
        if self.scaling not in get_args(Scaling):
            raise ArgumentError(f"unknown scaling {self.scaling!r}")

    def resize(self, image: Image.Image) -> NDArray[np.uint8]:
        """Bring an RGB image to pixels 0..255 of shape ``(size, size, 3)``, squeezed if need be."""
        resampling = Image.Resampling[self.interpolation.upper()]
        return np.asarray(image.resize((self.size, self.size), resampling))

    def scale(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn pixels 0..255 of shape ``(..., 3)`` into network input of the same shape."""
        x = images.astype(np.float32)
        if self.scaling == "none":
            return x
        if self.scaling == "symmetric":
            x /= np.float32(127.5)
            x -= np.float32(1)
            return x
        x /= np.float32(255)
        if self.scaling == "imagenet":
            x -= _IMAGENET_MEAN
            x /= _IMAGENET_STD
        return x
