"""What an image file says of itself beside its pixels."""

import io
import struct
import zlib
from dataclasses import dataclass

from PIL import ExifTags, Image, JpegImagePlugin

_STANDARD_TABLE_SUM = 3688  # of the luminance table in annex K of ITU-T T.81, which is quality 50
_SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
_METADATA = {
    "exif": "EXIF",
    "icc_profile": "ICC profile",
    "xmp": "XMP",
    "photoshop": "Photoshop",
    "comment": "comment",
    "adobe": "Adobe",
}


@dataclass(frozen=True, slots=True)
class JpegFacts:
    """How a JPEG was compressed.

    Attributes:
        tables: the quantisation tables, 64 numbers each.
        subsampling: of the colour channels, such as ``"4:2:0"``.
        progressive: sent in several passes rather than one.
    """

    tables: tuple[tuple[int, ...], ...]
    subsampling: str
    progressive: bool

    @property
    def quality(self) -> int:
        """What libjpeg calls this quality, 1..100, by the luminance table; too high below 20."""
        scale = 100 * sum(self.tables[0]) / _STANDARD_TABLE_SUM
        quality = 100 - scale / 2 if scale <= 100 else 5000 / scale
        return max(1, min(100, round(quality)))

    @property
    def table_name(self) -> str:
        """Tells the quality and, by a checksum, which tables of this quality are meant."""
        return f"quality {self.quality}, tables {zlib.crc32(repr(self.tables).encode()):08x}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be told from an image file without looking at the picture.

    Attributes:
        width: pixels, as stored.
        height: pixels, as stored.
        file_size: bytes.
        format: Pillow's name of the file format, such as ``"JPEG"``.
        mode: Pillow's name of the colour mode, such as ``"RGB"`` or ``"L"``.
        metadata: names of the blocks that the file carries, such as EXIF or an ICC profile.
        software: the program that the file says made it, or nothing.
        jpeg: how it was compressed; None for other formats.
    """

    width: int
    height: int
    file_size: int
    format: str
    mode: str
    metadata: tuple[str, ...]
    software: str
    jpeg: JpegFacts | None


def read_facts(data: bytes) -> Facts:
    """Read the header of an image file that is known to be readable."""
    image = Image.open(io.BytesIO(data))
    jpeg = None
    if isinstance(image, JpegImagePlugin.JpegImageFile) and image.quantization:
        tables = image.quantization
        sampling = _SUBSAMPLING.get(JpegImagePlugin.get_sampling(image), "another")
        jpeg = JpegFacts(
            tables=tuple(tuple(tables[key]) for key in sorted(tables)),
            subsampling=sampling if len(image.getbands()) == 3 else "no colour channels",
            progressive=bool(image.info.get("progressive")),
        )
    return Facts(
        width=image.width,
        height=image.height,
        file_size=len(data),
        format=image.format or "unknown",
        mode=image.mode,
        metadata=tuple(name for key, name in _METADATA.items() if key in image.info),
        software=_software(image),
        jpeg=jpeg,
    )


def _software(image: Image.Image) -> str:
    try:
        tag = image.getexif().get(ExifTags.Base.Software)
    except (OSError, SyntaxError, LookupError, TypeError, ValueError, struct.error):
        tag = None
    return str(tag or image.info.get("Software") or "").strip("\0 ")
