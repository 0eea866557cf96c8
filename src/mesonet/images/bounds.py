"""What is known of an image's cost before it is decoded, and what costs too much.

The number of pixels does not bound the work: a progressive JPEG goes over all of them once for
each of its scans, which may be 23 bytes long; arithmetic coding is slow for each byte; a fax of
noise has an error in every row; and some rare kinds of BMP and PPM are decoded in Python.
"""

import ctypes
import re
from collections.abc import Iterator
from itertools import takewhile

from PIL import Image, TiffTags, _imaging

MAX_SIDE = 65_535
"""Longest side in pixels, which is that of JPEG."""

_MAX_SCANS = 100
_MAX_SCANNED_PIXELS = 1_000_000_000
_MAX_FAX_ASPECT = 100
_MAX_SLOW_BYTES = 4 << 20

TIFF_TAG = {info.name: tag for tag, info in TiffTags.TAGS_V2.items()}
_FAX = {2, 3, 4, 32771}
_SLOW_CODECS = {"ppm", "ppm_plain", "bmp_rle"}

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = b"\xff\xd9"
_ARITHMETIC = {b"\xff\xc9", b"\xff\xca"}


def refusal(image: Image.Image, data: bytes | None, max_pixels: int) -> str | None:
    """Why an image that was opened, but not decoded, costs too much; None where it does not.

    Args:
        image: what Pillow knows from the header.
        data: the whole file; None for pixels that are in memory already.
        max_pixels: most pixels of the image, and of a tile of a TIFF.
    """
    tags = getattr(image, "tag_v2", {})
    tile = [int(tags.get(TIFF_TAG[side], 0)) for side in ("TileWidth", "TileLength")]
    for width, height in (image.size, tile):  # tiles may be larger than the image
        if width * height > max_pixels:
            return f"{width} x {height} px, more than the {max_pixels:,} allowed"
        if max(width, height) > MAX_SIDE:
            return f"{width} x {height} px, a side of more than the {MAX_SIDE:,} allowed"
    if data is None:
        return None
    if tags.get(TIFF_TAG["Compression"]) in _FAX:
        return _fax_refusal(*image.size, len(data))
    if image.format in ("JPEG", "MPO"):
        return _jpeg_refusal(image.width * image.height, data)
    codecs = {tile[0] for tile in getattr(image, "tile", ())}
    return _slow_refusal(data) if codecs & _SLOW_CODECS else None


def _slow_refusal(data: bytes) -> str | None:
    if len(data) > _MAX_SLOW_BYTES:
        return f"{len(data):,} bytes of a kind that is slow to read; save it as PNG"
    return None


def _fax_refusal(width: int, height: int, size: int) -> str | None:
    if height > 8 * size:
        return f"a fax of {height:,} rows, but of {size:,} bytes only"
    if max(width, height) > _MAX_FAX_ASPECT * min(width, height):
        return f"a fax of {width} x {height} px, which is no page"
    return None


def _jpeg_refusal(pixels: int, data: bytes) -> str | None:
    scans = data.count(_START_OF_SCAN)
    if scans > _MAX_SCANS or scans * pixels > _MAX_SCANNED_PIXELS:  # or bytes that look like it
        scans = sum(1 for _ in scan_ends(data))
    if scans > _MAX_SCANS or scans * pixels > _MAX_SCANNED_PIXELS:
        return f"a JPEG that goes over its pixels {scans:,} times"
    head = takewhile(lambda found: found[0] != _START_OF_SCAN, _markers(data))
    return _slow_refusal(data) if any(marker in _ARITHMETIC for marker, _ in head) else None


def scan_ends(data: bytes) -> Iterator[int]:
    """Yield where the data of each scan of a JPEG's first image end."""
    scanning = False
    for marker, start in _markers(data):
        if scanning:
            yield start
        scanning = marker == _START_OF_SCAN
    if scanning:
        yield len(data)


def _markers(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Each marker of a JPEG's first image, and where it starts."""
    position = 2
    while (found := _MARKER.search(data, position)) is not None:
        yield found.group(), found.start()
        if found.group() == _END_OF_IMAGE:
            return
        position = found.end()
        if found.group() != b"\xff\x01":  # which has no length
            position += int.from_bytes(data[position : position + 2], "big")


def silence_libtiff() -> None:
    """Keep libtiff from writing what it finds wrong with a file to the standard error stream.

    Pillow tells of errors by exceptions. Where libtiff is not a library of its own nothing happens.
    """
    try:
        library = ctypes.CDLL(_imaging.__file__)
        for setter in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
            setter.restype = ctypes.c_void_p
            setter.argtypes = [ctypes.c_void_p]
            setter(None)
    except (AttributeError, OSError):
        pass
