"""What a clip is, whatever file it comes from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mesonet.errors import MediaError
from mesonet.images.finding import IMAGE_SUFFIXES

CLIP_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts"}
    | {".mts", ".m2ts", ".flv", ".ogv", ".wmv", ".asf"}
)
MEDIA_SUFFIXES = IMAGE_SUFFIXES | CLIP_SUFFIXES


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read at most; more is refused by name, from the header where that tells.

    Attributes:
        bytes: size of a file.
        pixels: width times height of a photograph.
        frame_pixels: width times height of a clip; the default lets 4K through.
        duration: seconds of a clip.
        frames: frames of a clip.
    """

    bytes: int = 4 << 30
    pixels: int = 100_000_000
    frame_pixels: int = 9_000_000
    duration: float = 3600
    frames: int = 500_000


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What is known of a clip before its frames are read.

    Attributes:
        format: the container, such as ``"mp4"``.
        codec: how pictures are coded, such as ``"h264"``.
        width: of the coded picture in pixels, which may lie on its side.
        height: of the coded picture in pixels.
        frames: how many frames the file brings.
        duration: seconds; None where the file has no times, and of an animated image until its
            frames are read.
    """

    format: str
    codec: str
    width: int
    height: int
    frames: int
    duration: float | None


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that was chosen.

    Attributes:
        number: its place in the clip, from 0.
        time: seconds from the clip's beginning.
        shot: which shot it belongs to, from 0.
        pixels: upright RGB, 0..255, of shape ``(height, width, 3)``.
    """

    number: int
    time: float
    shot: int
    pixels: NDArray[np.uint8]


class Clip(Protocol):
    """A clip that can be read once, from beginning to end, in bounded memory.

    Attributes:
        facts: what is known beforehand; an animated image adds its duration.
        cuts: times in seconds at which a new shot begins; filled while frames are read.
        problems: what went wrong or was not taken into account; filled while frames are read.
    """

    facts: ClipFacts
    cuts: list[float]
    problems: list[str]

    def frames(self, count: int) -> Iterator[Frame]:
        """Yield about ``count`` frames, evenly spread, at least one of every shot, in order.

        Raises:
            mesonet.errors.MediaError: not a single frame can be read, or a limit is exceeded that
                the header said nothing of.
        """
        ...


def check_duration(name: str, seconds: float, limits: Limits) -> None:
    """Refuse a clip that has gone on for longer than is allowed.

    Raises:
        mesonet.errors.MediaError: it has.
    """
    if seconds > limits.duration:
        allowed = f"{limits.duration:,.0f} seconds"
        raise MediaError(name, f"longer than the {allowed} allowed for clips")


def spread(count: int, total: int) -> Sequence[int]:
    """Up to ``count`` places of 0..total - 1, evenly spread, away from the ends."""
    if total <= count:
        return range(total)
    return [int((index + 0.5) * total / count) for index in range(count)]
