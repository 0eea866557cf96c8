"""Tells a picture of which only a part is there, although its file is well-formed.

A PNG may hold 20 of its 200 rows and end properly, and a JPEG that was cut may have got its end
marker back. Pillow decodes both without a word: what is missing is black, or mid-grey. Such
pictures are rare, and so is a last corner of that very colour; only then is the image decoded a
second time, in a way that shows whether anybody has drawn there.
"""

import io

from PIL import Image, _imaging

from mesonet.images.bounds import TIFF_TAG, scan_ends

_FILLER = b"\x5a\xc3\x96\x1e\xa7\x38\x69\xd2" * 8
_GREY = {"L": 128, "RGB": (128, 128, 128)}
_NO_WHITE = {"I", "I;16", "I;16B", "F"}


def is_partial(image: Image.Image, data: bytes) -> bool:
    """Whether a decoded image lacks pixels.

    Args:
        image: the image as Pillow has opened and loaded it, not converted.
        data: its file.
    """
    if image.format in ("JPEG", "MPO"):
        return _is_partial_jpeg(image, data)
    if image.format == "PNG":
        return _is_partial_png(image, data)
    return False


def lacks_strips(image: Image.Image) -> bool:
    """Whether the pieces of a TIFF that was opened, but not loaded, leave a part of it empty.

    libtiff finds missing pieces itself; Pillow reads uncompressed ones.
    """
    tiles = getattr(image, "tile", ())
    if image.format != "TIFF" or any(tile[0] != "raw" for tile in tiles):
        return False
    tags = getattr(image, "tag_v2", {})
    separate = tags.get(TIFF_TAG["PlanarConfiguration"]) == 2
    planes = tags.get(TIFF_TAG["SamplesPerPixel"], 1) if separate else 1
    covered = sum((right - left) * (lower - upper) for _, (left, upper, right, lower), *_ in tiles)
    return bool(covered < image.width * image.height * planes)


def _is_partial_jpeg(image: Image.Image, data: bytes) -> bool:
    """Whether more data before the end of the first scan would change the picture."""
    corner = image.getpixel((image.width - 1, image.height - 1))
    if corner != _GREY.get(image.mode, corner):
        return False
    end = next(scan_ends(data), len(data))
    with Image.open(io.BytesIO(data[:end] + _FILLER + data[end:])) as other:
        return image.tobytes() != other.tobytes()


def _is_partial_png(image: Image.Image, data: bytes) -> bool:
    """Whether the colour of the canvas shows through in the last two rows."""
    last = (0, max(0, image.height - 2), image.width, image.height)
    rows = image.crop(last)
    width = len(rows.tobytes()) // rows.height
    if not any(_is_blank(rows.tobytes()[start : start + width]) for start in (0, -width)):
        return False
    with Image.open(io.BytesIO(data)) as other:
        white = 1 if other.mode in _NO_WHITE else (255,) * len(other.getbands())
        colour = white if isinstance(white, int) or len(white) > 1 else white[0]
        other.im = _imaging.fill(other.mode, other.size, colour)
        return bool(rows.tobytes() != other.crop(last).tobytes())


def _is_blank(row: bytes) -> bool:
    return not row.strip(b"\0")
