"""Faces from frame to frame: which are the same person's, and what of them is scored."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mesonet.checking.pictures import Album
from mesonet.faces import Box, Face, Quality, crop_face, measure_quality, overlap
from mesonet.media import Frame
from mesonet.preprocessing import Preprocessing

MAX_PEOPLE = 20

_MIN_OVERLAP = 0.3
_MAX_GAP = 4
_REACH = 1.5


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """A face in a frame; ``pixels`` is what the detector sees, None where it is not judged."""

    track: int
    frame: int
    time: float
    face: Face
    quality: Quality
    pixels: NDArray[np.uint8] | None


class TrackedFaces:
    """The faces of a medium while its frames pass by; the frames themselves are let go.

    Args:
        preprocessing: how the detector wants them.
        album: takes the pictures for pages.

    Attributes:
        frames: number and time, in seconds, of every frame that was added.
        size: width and height of the last one.
    """

    def __init__(self, preprocessing: Preprocessing, album: Album) -> None:
        self.album = album
        self.frames: list[tuple[int, float]] = []
        self.size = (0, 0)
        self._preprocessing = preprocessing
        self._tracker = Tracker()
        self._faces: list[TrackedFace] = []
        self._beyond = 0

    def add(self, frame: Frame, found: list[Face]) -> None:
        """Link the faces of the next frame, and cut those that can be judged."""
        self.frames.append((frame.number, frame.time))
        self.size = frame.pixels.shape[1], frame.pixels.shape[0]
        self.album.add_frame(frame)
        faces = sorted(found, key=_area, reverse=True)
        self._beyond = max(self._beyond, len(faces) - MAX_PEOPLE)
        faces = faces[:MAX_PEOPLE]
        for face, track in zip(faces, self._tracker.link(frame.shot, faces), strict=True):
            quality = measure_quality(frame.pixels, face)
            crop = crop_face(frame.pixels, face)
            self.album.add_crop(track, frame.number, crop)
            pixels = None if quality.flaw else self._preprocessing.resize(Image.fromarray(crop))
            self._faces.append(TrackedFace(track, frame.number, frame.time, face, quality, pixels))

    def largest(self) -> tuple[list[TrackedFace], int]:
        """The faces of the people with the largest ones, and how many other people there are."""
        sizes: dict[int, float] = {}
        for seen in self._faces:
            sizes[seen.track] = max(sizes.get(seen.track, 0.0), _area(seen.face))
        tracks = sorted(sizes, key=lambda track: sizes[track], reverse=True)
        kept = set(tracks[:MAX_PEOPLE])
        left_out = len(tracks) - len(kept) + self._beyond
        return [seen for seen in self._faces if seen.track in kept], left_out


def _area(face: Face) -> float:
    return face.box[2] * face.box[3]


class Tracker:
    """Links the faces of one shot to tracks, by where they are.

    Two faces belong together where their boxes, half as large again, overlap by three tenths.
    Across a cut nothing is linked: who looks like two people stays two rather than that two are
    mixed into one.
    """

    def __init__(self) -> None:
        self.tracks = 0
        self._shot = -1
        self._frame = 0
        self._last: dict[int, tuple[int, Box]] = {}

    def link(self, shot: int, faces: Sequence[Face]) -> list[int]:
        """Give each face of the next frame the number of its track, from 0."""
        if shot != self._shot:
            self._shot, self._last = shot, {}
        self._frame += 1
        boxes = [_enlarged(face.box) for face in faces]
        pairs = [
            (overlap(box, last), track, index)
            for track, (seen, last) in self._last.items()
            if self._frame - seen <= _MAX_GAP
            for index, box in enumerate(boxes)
        ]
        found: dict[int, int] = {}
        for shared, track, index in sorted(pairs, reverse=True):
            if shared >= _MIN_OVERLAP and index not in found and track not in found.values():
                found[index] = track
        for index, box in enumerate(boxes):
            if index not in found:
                found[index] = self.tracks
                self.tracks += 1
            self._last[found[index]] = (self._frame, box)
        return [found[index] for index in range(len(faces))]


def _enlarged(box: Box) -> Box:
    left, top, width, height = box
    more = (_REACH - 1) / 2
    return left - more * width, top - more * height, _REACH * width, _REACH * height
