"""A clip's scores over time, drawn in a picture of 1000 x 200."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from mesonet_site.pages.check.presentation import MediumView, PersonView

_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 970.0, 10.0, 170.0
_STYLES = 4


@dataclass(frozen=True)
class Dot:
    """A face that was scored: where it is drawn, its frame, and its words for screen readers."""

    x: float
    y: float
    frame: int
    label: str


@dataclass(frozen=True)
class Line:
    """One person over time; a new piece begins after each gap."""

    person: PersonView
    style: int
    dots: list[Dot]
    pieces: list[str] = field(default_factory=list)

    @property
    def end(self) -> dict[str, float]:
        """Where the person's number is written."""
        return {"x": self.dots[-1].x + 10, "y": self.dots[-1].y + 5}


class Timeline:
    """Scores of the people in a clip over time.

    Attributes:
        lines: one for each person who has a score.
        frames: each frame that was looked at: its time, picture and scores by person.
        cuts: where shots begin, in the picture's units.
        band: the range in which the model does not decide.
        threshold: the height from which the model calls a face manipulated.
        ticks: seconds below the picture.
    """

    def __init__(self, medium: MediumView) -> None:
        seen: Sequence[tuple[int, float]] = medium.record["frames_seen"]
        latest = max((time for _number, time in seen), default=0.0)
        self._duration = medium.file["duration"] or latest or 1.0
        self._order = {number: place for place, (number, _time) in enumerate(seen)}
        self.lines = [self._line(place, person) for place, person in enumerate(medium.judged)]
        self.cuts = [self._x(cut) for cut in medium.record["cuts"]]
        starts = medium.model["starts"]
        top, bottom = self._y(starts["some_evidence"]), self._y(starts["uncertain"])
        self.band = {"x": _LEFT, "y": top, "width": _RIGHT - _LEFT, "height": bottom - top}
        height = self._y(medium.model["threshold"])
        self.threshold = {"x1": _LEFT, "x2": _RIGHT, "y1": height, "y2": height}
        self.ticks = [
            {"x": self._x(time), "label": f"{number_format(time, 1)} s"}
            for time in (part * self._duration / 4 for part in range(5))
        ]
        self.frames = [self._frame(number, time, medium) for number, time in seen]

    def _x(self, time: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * min(1.0, time / self._duration), 1)

    @staticmethod
    def _y(fake_probability: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * fake_probability, 1)

    def _line(self, place: int, person: PersonView) -> Line:
        pieces: list[list[Dot]] = []
        for face in person.faces:
            score = face["fake_probability"]
            if score is None:
                continue
            label = _("Person %(number)s, %(time)s s: %(score)s") % {
                "number": person.id,
                "time": number_format(face["time"], 1),
                "score": number_format(score, 2),
            }
            dot = Dot(self._x(face["time"]), self._y(score), face["frame"], label)
            follows = pieces and self._order[dot.frame] == self._order[pieces[-1][-1].frame] + 1
            if follows:
                pieces[-1].append(dot)
            else:
                pieces.append([dot])
        return Line(
            person,
            place % _STYLES,
            [dot for piece in pieces for dot in piece],
            [" ".join(f"{dot.x},{dot.y}" for dot in piece) for piece in pieces],
        )

    @staticmethod
    def _frame(number: int, time: float, medium: MediumView) -> dict[str, Any]:
        found = {
            person.id: {"person": person, "face": face}
            for person in medium.people
            for face in person.faces
            if face["frame"] == number
        }
        return {
            "number": number,
            "time": time,
            "picture": medium.pictures.get("frames", {}).get(str(number)),
            "scores": list(found.values()),
            "row": [
                found[person.id]["face"]["fake_probability"] if person.id in found else None
                for person in medium.people
            ],
        }
