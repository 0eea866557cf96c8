"""Clips that were changed at random."""

import io
import random
import time
from collections.abc import Iterator

from PIL import Image
from tests.clips import numbered, write_clip
from tests.fire.images import SECONDS, changed

from mesonet.errors import MediaError
from mesonet.media import Limits, open_medium

KINDS = {"mp4": "libx264", "matroska": "mpeg4", "mpegts": "mpeg2video", "avi": "mjpeg"}


def good() -> list[bytes]:
    """Clips of several containers and codecs, and animated images."""
    files = []
    for container, codec in KINDS.items():
        file = io.BytesIO()
        pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        write_clip(file, numbered(6), rate=25, format=container, codec=codec, pixels=pixels)
        files.append(file.getvalue())
    first, *others = [Image.fromarray(picture) for picture in numbered(6)]
    for kind in ("GIF", "PNG", "WEBP"):
        file = io.BytesIO()
        first.save(file, kind, save_all=True, append_images=others, duration=100)
        files.append(file.getvalue())
    return files


def mutated(count: int, draw: random.Random) -> Iterator[bytes]:
    """Good clips that were changed."""
    yield from changed(good(), count, draw)


def hold(data: bytes) -> str | None:
    """What is wrong with how a clip was taken; None where all is well."""
    started = time.process_time()
    try:
        medium = open_medium(data, "clip", Limits())
        if hasattr(medium, "frames"):
            list(medium.frames(4))
    except MediaError:
        pass
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return f"{type(error).__name__}: {error}"
    seconds = time.process_time() - started
    return f"took {seconds:.1f} s" if seconds > SECONDS else None
