"""Reading videos with PyAV (FFmpeg), in order and within limits.

A file is walked twice: once for its packets alone, which tells how many frames there are and
when, whatever the header says; then it is decoded, and only the frames that were chosen become
pictures.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import av
import av.error
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from mesonet.errors import MediaError
from mesonet.media.clip import ClipFacts, Frame, Limits, check_duration, spread
from mesonet.media.shots import CutDetector

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,flv,ogg,asf,mp3,wav,flac,aac"
_MANY_FRAMES = 4000
_ENOUGH_KEYFRAMES = 64
_FAR_LONGER = 1.5
_HIGH_DYNAMIC_RANGE = (16, 18)  # SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG)
_LUMA_SHAPE = (36, 64)
_PLANAR_8_BITS = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p")

Opener = Callable[[], BinaryIO]


class Video:
    """A video file.

    Args:
        opener: opens the file anew each time it is called.
        name: what errors call it.
        limits: what is read at most.

    Raises:
        MediaError: it is no video that can be read, or it exceeds the limits.
    """

    def __init__(self, opener: Opener, name: str, limits: Limits) -> None:
        self.name = name
        self.cuts: list[float] = []
        self.problems: list[str] = []
        self._opener = opener
        self._limits = limits
        with _opened(opener, name) as container:
            stream = _picture_stream(container, name)
            self._check_size(stream.codec_context.width, stream.codec_context.height)
            self._times, keyframes = self._walk(container, stream)
            self._only_keyframes = (
                len(self._times) > _MANY_FRAMES and keyframes >= _ENOUGH_KEYFRAMES
            )
            self._pixel_aspect = _pixel_aspect(stream)
            self._candidates = keyframes if self._only_keyframes else len(self._times)
            rate = float(stream.average_rate or stream.guessed_rate or 0)
            self._rate = rate if 0 < rate < 1000 else 25.0
            self.facts = ClipFacts(
                format=container.format.name.split(",")[0],
                codec=stream.codec_context.name,
                width=stream.codec_context.width,
                height=stream.codec_context.height,
                frames=len(self._times),
                duration=self._duration(),
            )
            self._compare_duration((container.duration or 0) / av.time_base)

    def frames(self, count: int) -> Iterator[Frame]:
        """See `mesonet.media.clip.Clip.frames`."""
        wanted = set(spread(count, self._candidates))
        cut_detector, shot, failed, seen = CutDetector(), 0, 0, 0
        taken_in_shot, latest = False, None
        with _opened(self._opener, self.name) as container:
            stream = _picture_stream(container, self.name)
            stream.thread_type = "AUTO"
            stream.codec_context.options = {"max_pixels": str(self._limits.frame_pixels)}
            if self._only_keyframes:
                stream.codec_context.skip_frame = "NONKEY"
            for index, frame in enumerate(self._decode(container, stream)):
                if frame is None:
                    failed += 1
                    continue
                self._check_size(frame.width, frame.height)
                time = self._time(frame, seen)
                if cut_detector.is_cut(_small_luma(frame)):
                    if latest is not None and not taken_in_shot:
                        yield self._picture(*latest, shot)
                    shot, taken_in_shot = shot + 1, False
                    self.cuts.append(time)
                latest = (frame, seen, time)
                if index in wanted:
                    yield self._picture(*latest, shot)
                    taken_in_shot = True
                seen += 1
        if latest is None:
            raise MediaError(self.name, "not one frame of the clip can be read")
        if not taken_in_shot:
            yield self._picture(*latest, shot)
        if failed:
            self.problems.append(f"{failed} damaged parts of the clip could not be read")
        if self._only_keyframes:
            self.problems.append("of a clip this long only key frames were looked at")

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._limits.frame_pixels:
            allowed = self._limits.frame_pixels
            raise MediaError(
                self.name, f"{width} x {height} px, more than the {allowed:,} allowed for clips"
            )

    def _walk(self, container: Any, stream: Any) -> tuple[list[float | None], int]:
        """Time of every packet in seconds, None where there is none; and the key frames."""
        times: list[float | None] = []
        keyframes, first = 0, None
        base = float(stream.time_base or 0)
        try:
            for packet in container.demux(stream):
                if packet.size == 0:
                    continue
                stamp = packet.pts if packet.pts is not None else packet.dts
                time = None if stamp is None else stamp * base
                first = time if first is None else first
                times.append(time)
                keyframes += bool(packet.is_keyframe)
                if len(times) > self._limits.frames:
                    raise MediaError(self.name, f"more than {self._limits.frames:,} frames")
                if time is not None and first is not None:
                    check_duration(self.name, time - first, self._limits)
        except av.error.FFmpegError as error:
            self.problems.append(f"the clip ends early: {_reason(error)}")
        if not times:
            raise MediaError(self.name, "the clip has no frames")
        return times, keyframes

    def _duration(self) -> float | None:
        known = sorted(time for time in self._times if time is not None)
        if len(known) < len(self._times) or not known:
            return None
        return known[-1] - known[0] + 1 / self._rate

    def _compare_duration(self, claimed: float) -> None:
        """Note a header that claims much more than there is: the file may have been cut off."""
        there = self.facts.duration
        if there is not None and claimed > _FAR_LONGER * there and claimed > there + 1:
            self.problems.append(
                f"the file says that it lasts {claimed:,.1f} s, and its pictures last "
                f"{there:,.1f} s"
            )

    def _decode(self, container: Any, stream: Any) -> Iterator[Any]:
        """Frames in the order they are shown, and None for each packet that is damaged."""
        packets = iter(container.demux(stream))
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
            except av.error.FFmpegError:  # the walk before has said so
                return
            try:
                yield from packet.decode()
            except av.error.FFmpegError:
                yield None

    def _time(self, frame: Any, number: int) -> float:
        start = self._times[0]
        if frame.time is None or start is None:
            return number / self._rate
        return max(0.0, float(frame.time - min(start, frame.time)))

    def _picture(self, frame: Any, number: int, time: float, shot: int) -> Frame:
        if frame.color_trc in _HIGH_DYNAMIC_RANGE and not any("HDR" in p for p in self.problems):
            self.problems.append("HDR: brightness and colours are taken without tone mapping")
        return Frame(number, time, shot, _upright(frame, self._pixel_aspect))


@contextmanager
def _opened(opener: Opener, name: str) -> Iterator[Any]:
    """Open a container; it may name no other file and no address."""
    options = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
    with opener() as file:
        try:
            container = av.open(file, metadata_errors="replace", options=options)
        except (av.error.FFmpegError, UnicodeError) as error:
            reason = f"not a photograph or clip that can be read ({_reason(error)})"
            raise MediaError(name, reason) from error
        with container:
            yield container


def _picture_stream(container: Any, name: str) -> Any:
    """The first stream of moving pictures; the cover of a song is none."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise MediaError(name, "there is no moving picture in it")
    if streams[0].codec_context is None:
        raise MediaError(name, "its pictures are coded in a way that is not known here")
    return streams[0]


def _pixel_aspect(stream: Any) -> float:
    """How wide a pixel is, in its heights; 1 where nothing sensible is said."""
    aspect = float(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1)
    return aspect if 0.2 < aspect < 5 else 1.0


def _small_luma(frame: Any) -> NDArray[np.uint8]:
    """Points of the frame's brightness, evenly spread."""
    rows, columns = (
        np.linspace(0, side - 1, points).astype(int)
        for side, points in zip((frame.height, frame.width), _LUMA_SHAPE, strict=True)
    )
    if not frame.format.name.startswith(_PLANAR_8_BITS):
        frame = frame.reformat(format="gray")
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return np.asarray(luma[rows[:, None], columns])


def _upright(frame: Any, aspect: float) -> NDArray[np.uint8]:
    width = max(1, round(frame.width * aspect))
    pixels = frame.reformat(width=width, format="rgb24").to_ndarray()
    for side in frame.side_data:
        if side.type.name == "DISPLAYMATRIX":
            pixels = _turned(pixels, np.frombuffer(side, "<i4", 9))
    return np.ascontiguousarray(pixels, np.uint8)


def _turned(pixels: NDArray[np.uint8], matrix: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Apply the quarter turns and flips of a display matrix (ISO/IEC 14496-12, 6.2.2)."""
    a, b, c, d = (int(matrix[index]) for index in (0, 1, 3, 4))
    if abs(b) + abs(c) > abs(a) + abs(d):
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    return pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()
