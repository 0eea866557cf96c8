"""Pictures that were changed at random, and those that are dear to decode."""

import random
import time
from collections.abc import Iterator, Sequence

from PIL import Image, features
from tests import hostile_images as hostile

from mesonet.errors import ImageError
from mesonet.images.finding import READS_HEIC
from mesonet.images.reading import read_image

SECONDS = 5.0
"""How much processor time one picture may take."""

KINDS = ("JPEG", "PNG", "GIF", "BMP", "PPM", "WEBP", "TIFF", "MPO")


def good() -> list[bytes]:
    """Pictures of every kind."""
    kinds = [*KINDS, *(["AVIF"] if features.check("avif") else [])]
    kinds += ["HEIF"] if READS_HEIC else []
    files = [hostile.encode(hostile.noise(64, 48), kind) for kind in kinds]
    files.append(hostile.encode(hostile.noise(64, 48), "JPEG", progressive=True))
    page = Image.effect_mandelbrot((64, 48), (-2, -1.5, 1, 1.5), 20).convert("1")
    files.extend(
        hostile.encode(hostile.noise(64, 48), "TIFF", compression=compression)
        for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
    )
    files.append(hostile.encode(page, "TIFF", compression="group4"))
    return files


def crafted() -> list[bytes]:
    """Files that were made to cost too much, or to look whole."""
    return [
        hostile.endless_jpeg(2_000),
        hostile.png(1, 50_000_000, 1, 0, b""),
        *(hostile.fax(kind) for kind in (2, 3, 4, 32771)),
        hostile.slow_ppm(),
        hostile.cut_jpeg(),
        hostile.cut_png(),
    ]


def mutated(count: int, draw: random.Random) -> Iterator[bytes]:
    """Good pictures that were changed."""
    yield from changed(good(), count, draw)


def changed(files: Sequence[bytes], count: int, draw: random.Random) -> Iterator[bytes]:
    """Files with some bytes changed, left out, repeated or cut off."""
    for _ in range(count):
        data = bytearray(draw.choice(files))
        for _ in range(draw.choice((1, 1, 2, 5, 20))):
            if len(data) < 12:
                break
            start = draw.randrange(len(data))
            match draw.randrange(5):
                case 0:
                    data[start] = draw.randrange(256)
                case 1:
                    data[start : start + 4] = draw.choice((b"\xff" * 4, bytes(4), b"\x7f\xff" * 2))
                case 2:
                    del data[start : start + draw.randrange(1, 50)]
                case 3:
                    data[start:start] = data[start : start + draw.randrange(1, 200)]
                case _:
                    del data[max(10, start) :]
        yield bytes(data)


def hold(data: bytes, *, refused: bool = False) -> str | None:
    """What is wrong with how a picture was taken, or not refused; None where all is well."""
    started = time.process_time()
    try:
        read_image(data)
        if refused:
            return "it was not refused"
    except ImageError:
        pass
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return f"{type(error).__name__}: {error}"
    seconds = time.process_time() - started
    return f"took {seconds:.1f} s" if seconds > SECONDS else None
