"""Animated images (GIF, APNG, WebP, AVIF), which are clips to somebody who looks at them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO

import numpy as np
from PIL import Image

from mesonet.errors import MediaError
from mesonet.images.reading import without_warnings
from mesonet.media.clip import ClipFacts, Frame, Limits, check_duration, spread
from mesonet.media.shots import CutDetector

_LUMA_SIZE = (64, 36)
_USUAL_MILLISECONDS = 100
_MAX_FRAMES = 10_000
"""Each has to be decoded, as every frame is drawn over the one before."""

Opener = Callable[[], BinaryIO]


class Animation:
    """An animated image file; see `mesonet.media.clip.Clip`.

    Its header says how many frames there are, but not how long they are shown: the duration is
    counted, and held against the limit, while they are read.

    Args:
        opener: opens the file anew each time it is called.
        name: what errors call it.
        limits: what is read at most.

    Raises:
        MediaError: it exceeds the limits.
    """

    def __init__(self, opener: Opener, name: str, limits: Limits) -> None:
        self.name = name
        self.cuts: list[float] = []
        self.problems: list[str] = []
        self._opener = opener
        self._limits = limits
        with opener() as file, without_warnings(), Image.open(file) as image:
            width, height = image.size
            frames = getattr(image, "n_frames", 1)
            kind = (image.format or "image").lower()
        if width * height > limits.frame_pixels:
            allowed = limits.frame_pixels
            raise MediaError(name, f"{width} x {height} px, more than the {allowed:,} allowed")
        most = min(limits.frames, _MAX_FRAMES)
        if frames > most:
            raise MediaError(name, f"more than {most:,} frames")
        self.facts = ClipFacts(kind, kind, width, height, frames, None)

    def frames(self, count: int) -> Iterator[Frame]:
        """See `mesonet.media.clip.Clip.frames`."""
        wanted = set(spread(count, self.facts.frames))
        cut_detector, shot, time = CutDetector(), 0, 0.0
        seen, taken_in_shot, waiting = 0, False, None
        with self._opener() as file, Image.open(file) as image:
            for index in range(self.facts.frames):
                try:
                    with without_warnings():
                        image.seek(index)
                        rgb = _on_white(image)
                except Exception:  # noqa: BLE001 - Pillow's decoders raise whatever they like
                    self.problems.append(f"the clip ends early, after {seen} frames")
                    break
                if cut_detector.is_cut(np.asarray(rgb.resize(_LUMA_SIZE).convert("L"))):
                    if waiting is not None and not taken_in_shot:
                        yield waiting
                    shot, taken_in_shot = shot + 1, False
                    self.cuts.append(time)
                waiting = Frame(index, time, shot, np.array(rgb))
                if index in wanted:
                    yield waiting
                    taken_in_shot = True
                seen += 1
                time += (image.info.get("duration") or _USUAL_MILLISECONDS) / 1000
                self.facts = replace(self.facts, duration=time)
                check_duration(self.name, time, self._limits)
        if waiting is None:
            raise MediaError(self.name, "not one frame of the clip can be read")
        if not taken_in_shot:
            yield waiting


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    canvas = Image.new("RGB", rgba.size, "white")
    canvas.paste(rgba, mask=rgba)
    return canvas
