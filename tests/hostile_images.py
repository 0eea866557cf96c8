"""Image files that are cheap to send and dear to decode, or whole only by the look of them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def noise(width: int = 150, height: int = 200, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(1, 255, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def scans(data: bytes) -> list[bytes]:
    """The scans of a JPEG, each with its header."""
    starts, position = [], 2
    while data[position + 1] != 0xD9:
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        following = position + 2 + length
        if data[position + 1] == 0xDA:
            while data[following] != 0xFF or data[following + 1] in (0, *range(0xD0, 0xD8)):
                following += 1
            starts.append(data[position:following])
        position = following
    return starts


def endless_jpeg(count: int, side: int = 64) -> bytes:
    """A progressive JPEG whose shortest scan comes `count` more times."""
    data = encode(noise(side, side), "JPEG", progressive=True)
    return data[:-2] + min(scans(data), key=len) * count + data[-2:]


def cut_jpeg(share: float = 0.3, **options) -> bytes:
    """A JPEG of which the rest is gone, but not the marker at its end."""
    data = encode(noise(), "JPEG", **options)
    return data[: int(len(data) * share)] + data[-2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def png(
    width: int,
    height: int,
    depth: int,
    colour: int,
    rows: bytes = b"",
    *chunks: tuple[bytes, bytes],
) -> bytes:
    """A PNG of these lines, each after its filter; `chunks` come before them."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    named = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in named)


def cut_png(mode: str = "RGB", rows: int = 20) -> bytes:
    """A PNG of 200 rows that holds `rows` of them and ends as it should."""
    pixels = np.asarray(noise().convert("RGB" if mode == "I;16" else mode))
    if mode == "I;16":
        pixels = pixels[..., :2]
    colour = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6, "I;16": 0}[mode]
    lines = b"".join(b"\0" + row.tobytes() for row in pixels[:rows])
    return png(150, 200, 16 if mode == "I;16" else 8, colour, lines)


def tiff(data: bytes, **tags: int) -> bytes:
    """A grey TIFF of one strip, uncompressed unless ``t259`` says otherwise."""
    numbered = {259: 1, 262: 1, 273: 0, 277: 1, 279: len(data)}
    numbered |= {int(name[1:]): value for name, value in tags.items()}
    numbered[273] = numbered.get(324, 8 + 2 + 12 * len(numbered) + 4)
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(numbered.items())]
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + b"".join(entries) + bytes(4) + data


def fax(kind: int, width: int = 8, height: int = 1_000_000, size: int = 2_000) -> bytes:
    """A fax of noise: libtiff finds something wrong with every row."""
    data = np.random.default_rng(kind).bytes(size)
    return tiff(data, t256=width, t257=height, t258=1, t259=kind, t262=0, t278=height)


def slow_ppm(side: int = 1_300) -> bytes:
    """A PPM of an unusual range of values, which Pillow reads in Python."""
    return b"P6 %d %d 100\n" % (side, side) + bytes(side * side * 3)
