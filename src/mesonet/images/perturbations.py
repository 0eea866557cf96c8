"""Fixed changes of a picture, as images meet them between camera and screen.

Every change is the same each time it is applied to the same pixels.
"""

import io
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mesonet.preprocessing import Pixels


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One kind of change at one level.

    Attributes:
        family: the kind, such as ``"jpeg"``.
        level: its strength, in the family's own unit.
        apply: gives the changed picture and leaves the given one as it is.
    """

    family: str
    level: float
    apply: Callable[[Pixels], Pixels]

    @property
    def name(self) -> str:
        """Kind and level, such as ``"jpeg 50"``."""
        return f"{self.family} {self.level:g}"


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of change at fixed levels.

    Attributes:
        name: its name.
        unit: what its levels say.
        scale: the perturbations from one end to the other, and None where the untouched
            picture has its place among them.
    """

    name: str
    unit: str
    scale: tuple[Perturbation | None, ...]

    @property
    def perturbations(self) -> list[Perturbation]:
        """The changes alone, without the untouched picture."""
        return [step for step in self.scale if step]


def jpeg(picture: Pixels, quality: int) -> Pixels:
    """Compress as JPEG (4:2:0) of a quality 1..100 and decode again."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(buffer))


def blur(picture: Pixels, sigma: float) -> Pixels:
    """Gaussian blur of a standard deviation in pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def resize(picture: Pixels, scale: float, interpolation: str) -> Pixels:
    """Scale both sides with one of Pillow's filters; the picture keeps at least one pixel."""
    height, width = picture.shape[:2]
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    return np.asarray(
        Image.fromarray(picture).resize(size, Image.Resampling[interpolation.upper()])
    )


def resize_and_back(picture: Pixels, scale: float, *, interpolation: str) -> Pixels:
    """Lose detail: scale both sides and return to the first size with the same filter."""
    height, width = picture.shape[:2]
    small = Image.fromarray(resize(picture, scale, interpolation))
    return np.asarray(small.resize((width, height), Image.Resampling[interpolation.upper()]))


def noise(picture: Pixels, sigma: float) -> Pixels:
    """Add Gaussian noise of a standard deviation given as a share of the range of values.

    The noise depends on the pixels and is the same each time.
    """
    rng = np.random.default_rng(zlib.crc32(picture.tobytes()))
    grain = rng.standard_normal(picture.shape, np.float32) * np.float32(255 * sigma)
    return _pixels(picture + grain)


def brightness(picture: Pixels, factor: float) -> Pixels:
    """Multiply all values, cut off at white."""
    return _pixels(picture.astype(np.float32) * factor)


def screenshot(picture: Pixels, times: int = 1) -> Pixels:
    """Pass on as messengers and screenshots do: JPEG 80, three quarters of the size, JPEG 70."""
    for _ in range(times):
        picture = jpeg(resize(jpeg(picture, 80), 0.75, "bicubic"), 70)
    return picture


def _pixels(values: NDArray[np.float32]) -> Pixels:
    return np.clip(values.round(), 0, 255).astype(np.uint8)


def _at(change: Callable[[Pixels, Any], Pixels], level: float) -> Callable[[Pixels], Pixels]:
    return lambda picture: change(picture, level)


def _family(
    name: str, unit: str, change: Callable[[Pixels, Any], Pixels], *levels: float | None
) -> Family:
    scale = (
        None if level is None else Perturbation(name, level, _at(change, level)) for level in levels
    )
    return Family(name, unit, tuple(scale))


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        _family("jpeg", "quality", jpeg, None, 100, 80, 60, 50, 40, 20, 10),
        _family("blur", "sigma in pixels", blur, None, 0.5, 1, 1.5, 2, 3),
        *(
            _family(
                f"resize {interpolation}",
                "scale, and back",
                partial(resize_and_back, interpolation=interpolation),
                *(None, 0.5, 0.25),
            )
            for interpolation in ("nearest", "bilinear", "bicubic", "lanczos")
        ),
        _family("noise", "sigma as a share of the range", noise, None, 0.01, 0.03, 0.05, 0.1),
        _family("brightness", "factor", brightness, 0.6, 0.8, None, 1.2, 1.4),
        _family("screenshot", "times passed on", screenshot, None, 1),
    )
}
"""The changes of the robustness sweep, by name."""
