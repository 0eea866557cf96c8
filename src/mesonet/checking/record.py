"""What a check found, as one record: the way from a file to a terminal, a table or a page."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mesonet.checking.likelihood import Likelihood
from mesonet.checking.scale import Scale
from mesonet.evidence import Word
from mesonet.faces import Box, Face, Quality
from mesonet.fragility import Fragility
from mesonet.provenance import Provenance

Kind = Literal["photo", "clip"]
Outcome = Literal["scored", "no_face", "face_too_small", "blurred", "dark", "unreadable"]

OUTCOMES: dict[Outcome, str] = {
    "scored": "scored",
    "no_face": "no face was found",
    "face_too_small": "the face is too small to judge",
    "blurred": "the face is too blurred to judge",
    "dark": "the face is too dark to judge",
    "unreadable": "it cannot be read",
}

_DIGITS = 1


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A person's face in one frame.

    Attributes:
        frame: number of the frame, from 0.
        time: seconds from the clip's beginning; None in a photograph.
        box: left, top, width, height in pixels of the upright picture.
        landmarks: eyes, nose, corners of the mouth, each as x and y.
        quality: how well it can be seen.
        fake_probability: 0..1, 1 is manipulated, calibrated where the model is; None where the
            face cannot be judged.
        raw_score: the network's own fake score.
    """

    frame: int
    time: float | None
    box: Box
    landmarks: tuple[tuple[float, float], ...]
    quality: Quality
    fake_probability: float | None = None
    raw_score: float | None = None

    def as_face(self) -> Face:
        """Where to cut it out of the upright picture."""
        return Face(self.box, 1.0, self.landmarks)

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {
            "frame": self.frame,
            "time": _rounded(self.time, 3),
            "box": _box(self.box),
            "landmarks": [[round(x, _DIGITS), round(y, _DIGITS)] for x, y in self.landmarks],
            "quality": self.quality.to_dict(),
            "fake_probability": self.fake_probability,
            "raw_score": self.raw_score,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one method says of a face.

    Attributes:
        method: its name.
        title: what pages call it.
        text: what it found, or how to read its map.
        shares: of regions, how much each carried, 0..1; None for maps.
    """

    method: str
    title: str
    text: str
    shares: dict[str, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a photograph, or in one shot of a clip.

    Attributes:
        id: a number from 1, unique in the medium.
        box: that of the best face.
        outcome: ``"scored"``, or why there is no score.
        verdict: the word for the ``fake_probability``; None without one.
        fake_probability: of a clip's person the trimmed mean of the log odds over its faces.
        share_above: share of the scored faces at or above the model's threshold, 0..1; None in a
            photograph.
        longest_run: most faces above it in a row; None in a photograph.
        faces: in the order of time.
        fragility: what mild changes do to the score; None in clips, whose frames are such changes,
            and where it was not asked for. Where it says so, the verdict is uncertain.
        likelihood: how much more the score is to be expected of manipulated faces; None where the
            model is not calibrated, and in clips.
        explanations: where the score of a photograph's most suspicious person came from, by the
            methods that passed their exam on the model; only where it was asked for.
    """

    id: int
    box: Box
    outcome: Outcome
    verdict: Word | None
    fake_probability: float | None
    share_above: float | None
    longest_run: int | None
    faces: tuple[SeenFace, ...]
    fragility: Fragility | None = None
    likelihood: Likelihood | None = None
    explanations: tuple[Explanation, ...] = ()

    @property
    def best_face(self) -> SeenFace:
        """The largest face that was scored, else the largest."""
        return max(
            self.faces, key=lambda face: (face.fake_probability is not None, face.quality.size)
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {
            "id": self.id,
            "box": _box(self.box),
            "outcome": self.outcome,
            "verdict": self.verdict,
            "fake_probability": self.fake_probability,
            "share_above": self.share_above,
            "longest_run": self.longest_run,
            "fragility": self.fragility and self.fragility.to_dict(),
            "likelihood": self.likelihood and self.likelihood.to_dict(),
            "explanations": [found.to_dict() for found in self.explanations],
            "faces": [face.to_dict() for face in self.faces],
        }


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the file is; None where it cannot be told.

    Attributes:
        sha256: of its bytes, in hexadecimal digits.
        bytes: its size.
        format: such as ``"jpeg"`` or ``"mov"``.
        codec: how a clip's pictures are coded.
        width: of the upright picture in pixels.
        height: of the upright picture in pixels.
        duration: of a clip, in seconds.
        frames: of a clip.
    """

    sha256: str | None = None
    bytes: int | None = None
    format: str | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    frames: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {
            "sha256": self.sha256,
            "bytes": self.bytes,
            "format": self.format,
            "codec": self.codec,
            "width": self.width,
            "height": self.height,
            "duration": _rounded(self.duration, 3),
            "frames": self.frames,
        }


@dataclass(frozen=True, slots=True)
class Pictures:
    """Small pictures of what was looked at, RGB 0..255, for pages; kept only where asked for.

    Attributes:
        scene: the photograph, or the frame with the most suspicious face, scaled down.
        scene_scale: pixels of the scene for one of the original.
        scene_frame: number of that frame.
        crops: the best face of each person, by the person's id, as it was cut.
        frames: of a clip each frame that was looked at, by its number, scaled down.
        maps: the most suspicious face under the heat of each map, by method.
    """

    scene: NDArray[np.uint8]
    scene_scale: float
    scene_frame: int
    crops: dict[int, NDArray[np.uint8]]
    frames: dict[int, NDArray[np.uint8]]
    maps: dict[str, NDArray[np.uint8]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """What was found out about one photograph or clip.

    Attributes:
        path: the file's path or name.
        kind: ``"photo"`` or ``"clip"``; None where it could not be read.
        outcome: ``"scored"``, or why there is no score.
        verdict: the word for the ``fake_probability``; None without one.
        fake_probability: that of the most suspicious person who was seen well enough, 0..1.
        file: facts of the file.
        model: name of the model.
        scale: how its probabilities became words.
        people: everybody who was found, from left to right, in clips in order of appearance.
        people_left_out: how many more there are, with smaller faces; they were not scored.
        frames_seen: numbers and times in seconds of the frames of a clip that were looked at.
        cuts: times in seconds at which a clip's shots begin, but for the first.
        notes: what went wrong, or has to be known to read the result.
        provenance: what the file says of its origin; it has no part in the verdict.
        pictures: see there.
    """

    path: str
    kind: Kind | None
    outcome: Outcome
    verdict: Word | None
    fake_probability: float | None
    file: FileFacts
    model: str
    scale: Scale
    people: tuple[Person, ...] = ()
    people_left_out: int = 0
    frames_seen: tuple[tuple[int, float], ...] = ()
    cuts: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Provenance | None = None
    pictures: Pictures | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the pictures, as plain types; ``docs/check.schema.json`` describes it."""
        return {
            "path": self.path,
            "kind": self.kind,
            "outcome": self.outcome,
            "verdict": self.verdict,
            "fake_probability": self.fake_probability,
            "file": self.file.to_dict(),
            "model": {"name": self.model} | self.scale.to_dict(),
            "people": [person.to_dict() for person in self.people],
            "people_left_out": self.people_left_out,
            "frames_seen": [[number, round(time, 3)] for number, time in self.frames_seen],
            "cuts": [round(time, 3) for time in self.cuts],
            "notes": list(self.notes),
            "provenance": self.provenance and self.provenance.to_dict(),
        }


def _box(box: Box) -> list[float]:
    return [round(side, _DIGITS) for side in box]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
