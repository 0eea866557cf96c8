"""The small preview that cameras write into a file, against the picture itself.

Some editors change the picture and leave the old preview (Kee, Johnson & Farid, "Digital image
authentication from JPEG headers", IEEE TIFS 2011).
"""

import io
import os
import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from mesonet.images.reading import without_warnings

_PREFIX = b"Exif\0\0"
_SIDE = 64
_MAX_SIDE = 1024
_BORDER = 4
_DIFFERS_FROM = 40.0


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """How an embedded preview compares.

    Attributes:
        difference: grey levels, 0..255, by which the most different hundredth of the preview is
            off after brightness and contrast were matched; other shapes count as 255.
    """

    difference: float

    @property
    def differs(self) -> bool:
        """Whether they show different things."""
        return self.difference >= _DIFFERS_FROM

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {"difference": round(self.difference, 1), "differs": self.differs}


def compare_thumbnail(source: str | os.PathLike[str] | bytes) -> Thumbnail | None:
    """Compare a JPEG's EXIF preview with the picture; None where there is no preview.

    Args:
        source: path of a file, or the bytes of one.
    """
    try:
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        with without_warnings(), Image.open(stream, formats=("JPEG",)) as image:
            data = _embedded(image)
            if not data:
                return None
            with Image.open(io.BytesIO(data), formats=("JPEG",)) as small:
                if max(small.size) > _MAX_SIDE:
                    return None
                preview = np.asarray(small.convert("L"), np.uint8)
            image.draft("L", (2 * _SIDE, 2 * _SIDE))
            picture = np.asarray(image.convert("L"), np.uint8)
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
        return None
    return Thumbnail(_difference(picture, preview))


def _embedded(image: Image.Image) -> bytes:
    raw = image.info.get("exif", b"")
    if not raw.startswith(_PREFIX):
        return b""
    first = image.getexif().get_ifd(ExifTags.IFD.IFD1)
    start = first.get(ExifTags.Base.JpegIFOffset)
    length = first.get(ExifTags.Base.JpegIFByteCount)
    if not (isinstance(start, int) and isinstance(length, int)):
        return b""
    return bytes(raw[len(_PREFIX) + start : len(_PREFIX) + start + length])


def _difference(picture: NDArray[np.uint8], preview: NDArray[np.uint8]) -> float:
    """Compare where both show something: previews of another shape have bars on two sides."""
    height, width = preview.shape
    wanted = picture.shape[1] / picture.shape[0]
    if wanted > width / height:
        bar = round((height - width / wanted) / 2)
        preview = preview[bar : height - bar]
    else:
        bar = round((width - height * wanted) / 2)
        preview = preview[:, bar : width - bar]
    if min(preview.shape) < _SIDE // 4:
        return 255.0
    first, second = (_small(values) for values in (picture, preview))
    spread = first.std() / max(second.std(), 1.0)
    matched = (second - second.mean()) * spread + first.mean()
    off = np.abs(first - matched)[_BORDER:-_BORDER, _BORDER:-_BORDER]
    return float(np.percentile(off, 99))


def _small(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    resized = cv2.resize(values, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(resized.astype(np.float32), (0, 0), 1.5), np.float32)
