"""Telling photographs from clips by their content, whatever they are named."""

import io
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mesonet.errors import MediaError
from mesonet.images.reading import FORMATS, MAX_BYTES, read_image, without_warnings
from mesonet.media.animation import Animation
from mesonet.media.clip import Limits

if TYPE_CHECKING:
    from mesonet.media.video import Video

MediaSource = str | os.PathLike[str] | bytes

_ANIMATED = frozenset({"GIF", "PNG", "WEBP", "AVIF"})


@dataclass(frozen=True, slots=True)
class Photo:
    """A single picture.

    Attributes:
        format: such as ``"jpeg"``.
        pixels: upright RGB, 0..255, of shape ``(height, width, 3)``.
    """

    format: str
    pixels: NDArray[np.uint8]


def open_medium(source: MediaSource, name: str, limits: Limits) -> "Photo | Video | Animation":
    """Open a photograph or a clip.

    Args:
        source: the path of a regular file, or the bytes of one.
        name: what errors call it.
        limits: what is read at most.

    Raises:
        MediaError: it can be neither read as a photograph nor as a clip, or exceeds the limits.
    """
    opener = _opener(source, name, limits)
    with opener() as file:
        format_, animated = _image_format(file)
    if format_ is None:
        from mesonet.media.video import Video  # PyAV takes a while, and photographs need none

        return Video(opener, name, limits)
    if animated:
        return Animation(opener, name, limits)
    image = read_image(
        source, name=name, max_pixels=limits.pixels, max_bytes=min(limits.bytes, MAX_BYTES)
    )
    return Photo(format_, np.asarray(image))


def kind_of_medium(source: MediaSource, name: str, limits: Limits) -> Literal["photo", "clip"]:
    """Tell a photograph, whose pixels are not looked at, from a clip.

    Raises:
        MediaError: it is neither, or exceeds the limits that a header tells.
    """
    opener = _opener(source, name, limits)
    with opener() as file:
        format_, animated = _image_format(file)
    if format_ is None:
        from mesonet.media.video import Video

        Video(opener, name, limits)
    elif animated:
        Animation(opener, name, limits)
    return "clip" if format_ is None or animated else "photo"


def _opener(source: MediaSource, name: str, limits: Limits) -> Callable[[], BinaryIO]:
    if isinstance(source, bytes):
        size = len(source)
    else:
        try:
            status = Path(source).stat()
        except (OSError, ValueError) as error:
            raise MediaError(
                name, (getattr(error, "strerror", "") or str(error)).lower()
            ) from error
        if stat.S_ISDIR(status.st_mode):
            raise MediaError(name, "is a folder")
        if not stat.S_ISREG(status.st_mode):
            raise MediaError(name, "not a regular file")
        size = status.st_size
    if not size:
        raise MediaError(name, "the file is empty")
    if size > limits.bytes:
        raise MediaError(name, f"larger than the {limits.bytes:,} bytes allowed")
    if isinstance(source, bytes):
        return lambda: io.BytesIO(source)

    def open_file() -> BinaryIO:
        try:
            return Path(source).open("rb")
        except OSError as error:
            raise MediaError(name, (error.strerror or str(error)).lower()) from error

    return open_file


def _image_format(file: BinaryIO) -> tuple[str | None, bool]:
    """Name of an image's format, None where it is no image; and whether it moves."""
    try:
        with without_warnings(), Image.open(file, formats=FORMATS) as image:
            format_ = image.format or "image"
            moves = format_ in _ANIMATED and getattr(image, "n_frames", 1) > 1
            return format_.lower(), moves
    except UnidentifiedImageError:
        return None, False
    except Exception:  # noqa: BLE001 - a damaged image; what is wrong shows when it is read
        return "image", False
