"""Keeping small pictures of what was looked at."""

import cv2
import numpy as np

from mesonet.checking.record import Person, Pictures
from mesonet.media import Frame
from mesonet.preprocessing import Pixels

_SCENE_SIDE = 1280
_FRAME_SIDE = 320


class Album:
    """Collects pictures while a medium is looked at; remembers nothing if it is not wanted."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._scenes: dict[int, tuple[Pixels, float]] = {}
        self._crops: dict[tuple[int, int], Pixels] = {}

    def add_frame(self, frame: Frame) -> None:
        """Keep a frame, scaled down."""
        if self._wanted:
            self._scenes[frame.number] = _shrunk(frame.pixels, _SCENE_SIDE)

    def add_crop(self, track: int, frame: int, crop: Pixels) -> None:
        """Keep a face as it was cut, in a bearable size."""
        if self._wanted:
            self._crops[track, frame] = _shrunk(crop, _FRAME_SIDE)[0]

    def pictures(self, people: dict[int, Person], suspect: Person | None) -> Pictures | None:
        """What pages need.

        Args:
            people: by their track.
            suspect: whose best face the scene shows.
        """
        if not self._scenes:
            return None
        middle = list(self._scenes)[len(self._scenes) // 2]
        chosen = suspect.best_face.frame if suspect else middle
        crops = {
            person.id: self._crops[track, person.best_face.frame]
            for track, person in people.items()
        }
        scene, scale = self._scenes[chosen]
        small = {
            number: _shrunk(kept, _FRAME_SIDE)[0] for number, (kept, _) in self._scenes.items()
        }
        return Pictures(scene, scale, chosen, crops, small if len(small) > 1 else {})


def _shrunk(picture: Pixels, side: int) -> tuple[Pixels, float]:
    """A picture whose longer side has at most so many pixels, and the factor that was used."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return picture.copy(), 1.0
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), factor
