"""A photograph and a short clip for the demo, in which it is known who is forged."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from mesonet.checking import Person
from mesonet.demo.forgeries import FORGERIES, low_resolution_swap
from mesonet.errors import MissingPackageError
from mesonet.preprocessing import Pixels

_FACE = np.s_[30:190, 142:302]
_PANEL = np.s_[0:320, 62:382]
_SIDE = 320
_COLUMNS = 3
_RATE = 12
_SHOT = 24


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a sample, and the truth about the face in it.

    Attributes:
        left: of the part in pixels.
        top: of the part in pixels.
        begin: of the part in seconds; 0 in a photograph.
        end: of the part in seconds; infinite in a photograph.
        forgery: how the face was forged; None where it was not.
    """

    left: int = 0
    top: int = 0
    begin: float = 0.0
    end: float = float("inf")
    forgery: str | None = None

    def holds(self, person: Person) -> bool:
        """Whether a person lies in this part."""
        left, top, width, height = person.box
        across, down = left + width / 2 - self.left, top + height / 2 - self.top
        time = person.faces[0].time or 0.0
        return 0 <= across < _SIDE and 0 <= down < _SIDE and self.begin <= time < self.end

    @property
    def truth(self) -> str:
        """The truth, in a few words."""
        return f"forged: {self.forgery}" if self.forgery else "as it was photographed"


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, and what is true of its parts."""

    path: Path
    title: str
    parts: tuple[Part, ...]

    def truths(self, people: Sequence[Person]) -> dict[int, Part]:
        """The part that every person lies in, by the person's id."""
        return {person.id: part for person in people for part in self.parts if part.holds(person)}


def make_samples(folder: Path) -> list[Sample]:
    """Write a photograph and a clip, made of scikit-image's astronaut and forgeries of her.

    The photograph, of Eileen Collins, is by NASA and in the public domain.

    Raises:
        MissingPackageError: scikit-image is not installed.
    """
    try:
        from skimage.data import astronaut
    except ImportError:
        raise MissingPackageError("the demo", "demo") from None
    folder.mkdir(parents=True, exist_ok=True)
    picture: Pixels = astronaut()
    return [_photograph(folder / "photograph.png", picture), _clip(folder / "clip.mp4", picture)]


def _photograph(path: Path, picture: Pixels) -> Sample:
    names = [None, *FORGERIES]
    panels = [_forged(picture, name)[_PANEL] for name in names]
    rows = [np.hstack(panels[i : i + _COLUMNS]) for i in range(0, len(panels), _COLUMNS)]
    Image.fromarray(np.vstack(rows)).save(path)
    parts = tuple(
        Part(left=_SIDE * (i % _COLUMNS), top=_SIDE * (i // _COLUMNS), forgery=name)
        for i, name in enumerate(names)
    )
    return Sample(path, "A portrait and five forgeries of it, in one photograph", parts)


def _clip(path: Path, picture: Pixels) -> Sample:
    """Two seconds as they are; then, from the other side, two seconds with a forged face."""
    forgery = next(name for name, forge in FORGERIES.items() if forge is low_resolution_swap)
    forged = np.ascontiguousarray(_forged(picture, forgery)[:, ::-1])
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=_RATE, options={"crf": "18"})
        stream.width = stream.height = _SIDE
        stream.pix_fmt = "yuv420p"
        for shot in (picture, forged):
            start = 62 if shot is picture else shot.shape[1] - 62 - _SIDE
            for step in range(_SHOT):
                left = start + step - _SHOT // 2
                frame = np.ascontiguousarray(shot[:_SIDE, left : left + _SIDE])
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    cut = _SHOT / _RATE
    parts = (Part(end=cut - 0.01), Part(begin=cut - 0.01, forgery=forgery))
    return Sample(path, "A clip of two shots: in the second the face is forged", parts)


def _forged(picture: Pixels, name: str | None) -> Pixels:
    if name is None:
        return picture
    whole = picture.copy()
    whole[_FACE] = FORGERIES[name](np.ascontiguousarray(picture[_FACE]))
    return whole
