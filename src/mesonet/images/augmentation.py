"""Random changes of training images, under the names of Keras' legacy image generator."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from mesonet.errors import ArgumentError

DEFAULTS: dict[str, Any] = {
    "rotation_range": 15,
    "zoom_range": 0.2,
    "brightness_range": (0.8, 1.2),
    "channel_shift_range": 30,
    "horizontal_flip": True,
}

_BORDERS = {
    "nearest": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
    "constant": cv2.BORDER_CONSTANT,
}

_FILTERS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Random changes drawn anew for every image and epoch.

    Pixels are moved to the nearest neighbour, not mixed: interpolation would smooth the noise
    that detectors look at, in training images only.

    Attributes:
        rotation_range: largest rotation in degrees, either way.
        zoom_range: a number z for factors 1 - z .. 1 + z, or the two factors; drawn for
            height and width apart.
        brightness_range: two factors between which the brightness is multiplied.
        channel_shift_range: largest value added to all channels, of 255, either way.
        horizontal_flip: mirror half of the images left to right.
        vertical_flip: mirror half of the images upside down.
        width_shift_range: largest horizontal shift as a share of the width.
        height_shift_range: largest vertical shift as a share of the height.
        shear_range: largest shear angle in degrees, either way.
        channel_jitter_range: largest value added to each channel by itself, of 255, either way.
        resolution_range: two factors; half of the images are shrunk by a factor between them
            and enlarged again, each time with another filter.
        jpeg_quality_range: two JPEG qualities, 1..100; half of the images are compressed with
            a quality between them.
        fill_mode: what lies beyond the border: "nearest", "reflect", "wrap" or "constant"
            (black).
    """

    rotation_range: float = 0
    zoom_range: float | tuple[float, float] = 0
    brightness_range: tuple[float, float] | None = None
    channel_shift_range: float = 0
    horizontal_flip: bool = False
    vertical_flip: bool = False
    width_shift_range: float = 0
    height_shift_range: float = 0
    shear_range: float = 0
    channel_jitter_range: float = 0
    resolution_range: tuple[float, float] | None = None
    jpeg_quality_range: tuple[int, int] | None = None
    fill_mode: Literal["nearest", "reflect", "wrap", "constant"] = "nearest"

    def __post_init__(self) -> None:
        if self.fill_mode not in _BORDERS:
            raise ArgumentError(f"fill_mode must be one of {', '.join(_BORDERS)}")

    @classmethod
    def from_options(cls, use_defaults: bool, extra: Mapping[str, Any] | None = None) -> Self:
        """Combine the default augmentation with further ones; the defaults win.

        Raises:
            ValueError: an augmentation nobody knows.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(extra or {}) - known)
        if unknown:
            raise ArgumentError(
                f"unknown augmentation {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            )
        return cls(**{**(extra or {}), **(DEFAULTS if use_defaults else {})})

    def __call__(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Change one image of shape ``(height, width, 3)``; the argument is left as it is."""
        matrix = self._matrix(image.shape, rng)
        if matrix is not None:
            height, width = image.shape[:2]
            image = cv2.warpAffine(
                image,
                matrix,
                (width, height),
                flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
                borderMode=_BORDERS[self.fill_mode],
            )
        if self.resolution_range and rng.random() < 0.5:
            image = self._shrink_and_enlarge(image, rng)
        if self.brightness_range or self.channel_shift_range or self.channel_jitter_range:
            low, high = self.brightness_range or (1, 1)
            factor = rng.uniform(low, high)
            shift = rng.uniform(-self.channel_shift_range, self.channel_shift_range)
            jitter = rng.uniform(-self.channel_jitter_range, self.channel_jitter_range, 3)
            values = np.arange(256)[:, None] * factor + shift + jitter
            table = np.clip(values, 0, 255).round().astype(np.uint8)
            image = cv2.LUT(image, table[None])
        if self.jpeg_quality_range and rng.random() < 0.5:
            quality = int(rng.integers(*self.jpeg_quality_range, endpoint=True))
            _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
            image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
        return np.asarray(image, np.uint8)

    def _shrink_and_enlarge(
        self, image: NDArray[np.uint8], rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        height, width = image.shape[:2]
        factor = rng.uniform(*(self.resolution_range or (1, 1)))
        small = (max(round(width * factor), 1), max(round(height * factor), 1))
        down, up = rng.choice(_FILTERS, 2)
        shrunk = cv2.resize(image, small, interpolation=int(down))
        return np.asarray(cv2.resize(shrunk, (width, height), interpolation=int(up)), np.uint8)

    def _matrix(
        self, shape: tuple[int, ...], rng: np.random.Generator
    ) -> NDArray[np.float64] | None:
        """Draw the 2x3 matrix that maps output pixels to input pixels, None for identity."""
        height, width = shape[:2]
        angle = np.deg2rad(rng.uniform(-self.rotation_range, self.rotation_range))
        shear = np.deg2rad(rng.uniform(-self.shear_range, self.shear_range))
        low, high = (
            self.zoom_range
            if isinstance(self.zoom_range, tuple | list)
            else (1 - self.zoom_range, 1 + self.zoom_range)
        )
        zoom_x, zoom_y = rng.uniform(low, high, 2)
        if self.horizontal_flip and rng.random() < 0.5:
            zoom_x = -zoom_x
        if self.vertical_flip and rng.random() < 0.5:
            zoom_y = -zoom_y
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shearing = np.array([[1, -np.sin(shear)], [0, np.cos(shear)]])
        linear = rotation @ shearing @ np.diag([zoom_x, zoom_y])
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        shift = rng.uniform(-1, 1, 2) * (
            self.width_shift_range * width,
            self.height_shift_range * height,
        )
        matrix = np.column_stack([linear, centre - linear @ centre + shift])
        return None if np.array_equal(matrix, np.eye(2, 3)) else matrix
