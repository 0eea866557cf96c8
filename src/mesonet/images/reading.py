"""Decoding image files into pixels, safely.

An image that cannot be used is an `ImageError` with a short reason, whatever is wrong with it, so
that a folder or an upload can hold anything without stopping a run.
"""

import io
import logging
import os
import stat
import struct
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from mesonet.errors import ArgumentError, ImageError
from mesonet.images.bounds import TIFF_TAG, refusal, silence_libtiff
from mesonet.images.completeness import is_partial, lacks_strips
from mesonet.images.finding import READS_HEIC
from mesonet.parallel import map_ahead
from mesonet.preprocessing import Preprocessing

MAX_PIXELS = 100_000_000
MAX_BYTES = 256 * 1024**2

_File = str | os.PathLike[str] | bytes | BinaryIO
ImageSource = _File | Image.Image | NDArray[np.uint8]
"""A path, an encoded file as bytes or a binary stream, or pixels that are decoded already."""

_TRUNCATED = "the file is truncated"
FORMATS: tuple[str, ...] = ("JPEG", "PNG", "GIF", "BMP", "PPM", "WEBP", "TIFF", "AVIF")
if READS_HEIC:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    FORMATS += ("HEIF",)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

logging.getLogger("PIL").addHandler(logging.NullHandler())
silence_libtiff()


_Loaded = NDArray[np.uint8] | ImageError


def read_image(
    source: ImageSource,
    *,
    name: str | None = None,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> Image.Image:
    """Read a whole image as 8-bit RGB, upright by its EXIF orientation.

    Transparent images are laid over white, 16-bit grey keeps its range, and of an animation the
    first frame is taken. Colour profiles are not applied. JPEG (also MPO), PNG, GIF, BMP, PPM,
    WebP, TIFF and AVIF are supported, and HEIC with the package pillow-heif.

    Args:
        source: path of a regular file; the bytes of one, or a binary stream, which is read from
            where it stands and left open; or an image of Pillow, or RGB pixels 0..255 of shape
            ``(height, width, 3)``.
        name: what errors call the image; by default its path.
        max_pixels: a larger image is refused from its header.
        max_bytes: a larger file is refused unread.

    Returns:
        A decoded image of mode RGB that carries no metadata.

    Raises:
        ImageError: the source is not a whole readable image within the limits.
    """
    if isinstance(source, str | os.PathLike):
        path = name or os.fspath(source)
    else:
        path = name or str(getattr(source, "name", None) or "image")
    try:
        with without_warnings():
            return _to_upright_rgb(_open(source, path, max_pixels, max_bytes), path)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(path, _reason(error)) from error


def _open(source: ImageSource, path: str, max_pixels: int, max_bytes: int) -> Image.Image:
    data = None
    if isinstance(source, Image.Image):
        image = source
    elif isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3:
            what = f"{source.dtype} array of shape {source.shape}"
            raise ImageError(path, f"{what}, not RGB pixels 0..255")
        image = Image.fromarray(source)
    else:
        data = _read(source, path, max_bytes)
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    if reason := refusal(image, data, max_pixels):
        raise ImageError(path, reason)
    if data is not None:
        if lacks_strips(image):
            raise ImageError(path, _TRUNCATED)
        image.load()
        if is_partial(image, data):
            raise ImageError(path, _TRUNCATED)
    return image


def _read(source: _File, path: str, max_bytes: int) -> bytes:
    if isinstance(source, str | os.PathLike):
        status = Path(source).stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(path, "is a folder")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(path, "not a regular file")
        size = status.st_size
        if size <= max_bytes:
            with open(source, "rb", opener=_open_without_waiting) as file:
                data = file.read(size)
    else:
        data = source if isinstance(source, bytes) else source.read(max_bytes + 1)
        size = len(data)
    if size > max_bytes:
        raise ImageError(path, f"larger than the {max_bytes:,} bytes allowed")
    if not data:
        raise ImageError(path, "the file is empty")
    return data


def _open_without_waiting(file: str, flags: int) -> int:
    """Open a file that may have been exchanged for a pipe since it was looked at."""
    return os.open(file, flags | getattr(os, "O_NONBLOCK", 0))


def _to_upright_rgb(image: Image.Image, path: str) -> Image.Image:
    rgb = _to_rgb(image, path)
    turn = _turn(image)
    if turn is not None:
        rgb = rgb.transpose(turn)
    rgb.info = {}
    return rgb


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What makes the image upright; None for TIFF, which Pillow turns, or unreadable metadata."""
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (OSError, SyntaxError, LookupError, TypeError, ValueError, struct.error):
        return None


def _to_rgb(image: Image.Image, path: str) -> Image.Image:
    if image.mode == "F":
        raise ImageError(path, "floating-point pixels have no known range")
    if image.mode.startswith("I"):
        image = _wide_grey_to_8_bits(image, path)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        canvas = Image.new("RGB", rgba.size, "white")
        canvas.paste(rgba, mask=rgba)
        return canvas
    return image.convert("RGB")


def _wide_grey_to_8_bits(image: Image.Image, path: str) -> Image.Image:
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise ImageError(path, "its pixel values lie outside 0..65535")
    tags = getattr(image, "tag_v2", {})
    bits = 12 if tags.get(TIFF_TAG["BitsPerSample"]) == (12,) else 16
    grey = (values >> (bits - 8)).astype(np.uint8)
    if tags.get(TIFF_TAG["PhotometricInterpretation"]) == 0:  # white is zero
        grey = 255 - grey
    if "transparency" in image.info:
        grey[values == image.info["transparency"]] = 255
    return Image.fromarray(grey)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, UnidentifiedImageError):
        return "not an image in a supported format, or a damaged one"
    if isinstance(error, Image.DecompressionBombError):
        return "too many pixels"
    if isinstance(error, MemoryError):
        return "not enough memory to read it"
    if "truncated" in str(error).lower():
        return _TRUNCATED
    return "damaged or unreadable"


_thread = threading.local()


class _WhileReading(type):
    def __subclasscheck__(cls, category: type) -> bool:
        return getattr(_thread, "reading", False)


class _WarningWhileReading(Warning, metaclass=_WhileReading):
    """What every warning counts as in a thread that reads an image, and none does elsewhere.

    `warnings.catch_warnings` is not safe in threads. A single filter for this category keeps
    Pillow quiet here and leaves the process's other warnings, and Pillow's elsewhere, as they are.
    """


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep silent what warns of damaged metadata, in this thread alone."""
    if not warnings.filters or warnings.filters[0][2] is not _WarningWhileReading:
        warnings.simplefilter("ignore", _WarningWhileReading)
    _thread.reading = True
    try:
        yield
    finally:
        _thread.reading = False


def load_image(
    source: ImageSource,
    preprocessing: Preprocessing,
    *,
    name: str | None = None,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> NDArray[np.uint8]:
    """Read an image as `read_image` does and resize it, not keeping its aspect ratio.

    Returns:
        RGB pixels 0..255 of shape ``(size, size, 3)``, not yet scaled; the array is read-only.

    Raises:
        ImageError: the source is not a whole readable image within the limits.
    """
    image = read_image(source, name=name, max_pixels=max_pixels, max_bytes=max_bytes)
    return preprocessing.resize(image)


def load_images(
    paths: Sequence[Path | str],
    preprocessing: Preprocessing,
    *,
    workers: int = 2,
    ahead: int = 64,
) -> Iterator[_Loaded]:
    """Load images in order, while threads decode those that come next.

    Closing the generator early stops its threads.

    Args:
        paths: image files.
        preprocessing: size and interpolation.
        workers: decoding threads.
        ahead: loaded images that may wait for the consumer; memory is bounded by these and by one
            image in decoding for each worker.

    Yields:
        For each path pixels of shape ``(size, size, 3)`` as from `load_image`, or the error that
        came in their place.
    """
    if ahead < 1:
        raise ArgumentError(f"at least one image must be loaded ahead, not {ahead}")
    return map_ahead(partial(_load_or_error, preprocessing), paths, workers, ahead)


def _load_or_error(preprocessing: Preprocessing, path: Path | str) -> _Loaded:
    try:
        return load_image(path, preprocessing)
    except ImageError as error:
        return ImageError(error.path, error.reason)  # without the traceback, which holds the file
