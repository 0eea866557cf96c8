"""Small clips, made where they are needed."""

import io
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from skimage.data import astronaut, camera, coffee

from mesonet.preprocessing import Pixels

FACE = (179, 66, 84, 119)
"""Left, top, width and height of the face in `portrait`."""


def portrait(side: int = 512) -> Pixels:
    """A photograph with one face (scikit-image's astronaut, by NASA, public domain)."""
    return np.asarray(cv2.resize(astronaut(), (side, side), interpolation=cv2.INTER_AREA))


def nobody(side: int = 512) -> Pixels:
    """A photograph without a face."""
    return np.asarray(cv2.resize(coffee(), (side, side), interpolation=cv2.INTER_AREA))


def stranger(side: int = 512) -> Pixels:
    """A photograph that looks different from both, with no face that can be seen well."""
    grey = cv2.resize(camera(), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))


def numbered(count: int, side: int = 64) -> Iterator[Pixels]:
    """Pictures that grow brighter from the left, all different."""
    for index in range(count):
        picture = np.full((side, side, 3), 40, np.uint8)
        picture[:, : 1 + index * (side - 1) // count] = 200
        yield picture


def write_clip(
    path: Path | io.BytesIO,
    pictures: Iterable[Pixels],
    *,
    rate: int = 10,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: Sequence[float] | None = None,
    rotation: int = 0,
    sound: bool = False,
    format: str | None = None,  # noqa: A002
    **properties: object,
) -> None:
    """Write a clip of pictures of one size.

    Args:
        path: file, or a stream with ``format``.
        pictures: RGB pixels.
        rate: frames a second.
        codec: video encoder.
        pixels: pixel format.
        times: seconds of every frame, for a variable rate.
        rotation: turn, in degrees against the clock, that players are told.
        sound: add a second of silence.
        format: container; by default told by the suffix.
        properties: of the encoder, such as ``color_trc``.
    """
    with av.open(path, "w", format=format) as container:
        stream = container.add_stream(codec, rate=rate)
        audio = container.add_stream("aac", rate=8000) if sound else None
        if rotation:
            stream.set_display_rotation(rotation)
        for name, value in properties.items():
            setattr(stream.codec_context, name, value)
        for index, picture in enumerate(pictures):
            if not index:
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = pixels
            shape = "rgba" if picture.shape[2] == 4 else "rgb24"
            frame = av.VideoFrame.from_ndarray(picture, format=shape)
            if times is not None:
                frame.time_base = Fraction(1, 1000)
                frame.pts = round(1000 * times[index])
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if audio:
            _write_silence(container, audio)


def write_sound(path: Path) -> None:
    """Write a file that only has sound."""
    with av.open(path, "w") as container:
        _write_silence(container, container.add_stream("aac", rate=8000))


def _write_silence(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    for _ in range(8):
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
