"""From faces in frames to people: who is who, and one score for each."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from mesonet.checking.record import Outcome, Person, SeenFace
from mesonet.checking.scale import Scale
from mesonet.evidence import WORDS
from mesonet.faces import Box, Face, overlap
from mesonet.model_info import logit

TRIM = 0.1
ENOUGH_FACES = 3

_MIN_OVERLAP = 0.3
_MAX_GAP = 4
_REACH = 1.5


class Tracker:
    """Links the faces of one shot to tracks, by where they are.

    Two faces belong together where their boxes, half as large again, overlap by three tenths.
    Across a cut nothing is linked: who looks like two people stays two rather than that two are
    mixed into one.
    """

    def __init__(self) -> None:
        self.tracks = 0
        self._shot = -1
        self._look = 0
        self._last: dict[int, tuple[int, Box]] = {}

    def link(self, shot: int, faces: Sequence[Face]) -> list[int]:
        """Give each face of the next frame the number of its track, from 0."""
        if shot != self._shot:
            self._shot, self._last = shot, {}
        self._look += 1
        boxes = [_enlarged(face.box) for face in faces]
        pairs = [
            (overlap(box, last), track, index)
            for track, (seen, last) in self._last.items()
            if self._look - seen <= _MAX_GAP
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
            self._last[found[index]] = (self._look, box)
        return [found[index] for index in range(len(faces))]


def _enlarged(box: Box) -> Box:
    left, top, width, height = box
    more = (_REACH - 1) / 2
    return left - more * width, top - more * height, _REACH * width, _REACH * height


def combine(fake_probabilities: Sequence[float], trim: float = TRIM) -> float:
    """One probability for several faces of a person: the trimmed mean of the log odds.

    Args:
        fake_probabilities: at least one, 0..1.
        trim: share of the faces that is left out at either end.
    """
    odds = np.sort(logit(np.asarray(fake_probabilities, np.float64)))
    cut = int(trim * len(odds))
    return float(1 / (1 + np.exp(-odds[cut : len(odds) - cut].mean())))


def make_person(number: int, faces: Sequence[SeenFace], scale: Scale, *, clip: bool) -> Person:
    """Gather a person's faces, which come in the order of time."""
    scores = [face.fake_probability for face in faces if face.fake_probability is not None]
    best = max(faces, key=lambda face: (face.fake_probability is not None, face.quality.size))
    if not scores:
        flaw: Outcome = best.quality.flaw or "unreadable"
        return Person(number, best.box, flaw, None, None, None, None, tuple(faces))
    score = combine(scores)
    above = [value >= scale.threshold for value in scores]
    runs = [len(list(run)) for is_above, run in groupby(above) if is_above]
    return Person(
        id=number,
        box=best.box,
        outcome="scored",
        verdict=scale.word(score),
        fake_probability=score,
        share_above=sum(above) / len(above) if clip else None,
        longest_run=max(runs, default=0) if clip else None,
        faces=tuple(faces),
    )


def most_suspicious(people: Sequence[Person]) -> Person | None:
    """Who decides a medium's verdict: the most suspicious of those who were seen well enough.

    That is in three frames at least, or, where nobody was, once. A verdict weighs more than a
    score: one that does not hold under mild changes is uncertain.
    """
    scored = [person for person in people if person.fake_probability is not None]
    often = [person for person in scored if _faces_scored(person) >= ENOUGH_FACES]
    return max(often or scored, key=_suspicion, default=None)


def _suspicion(person: Person) -> tuple[int, float]:
    place = WORDS.index(person.verdict) if person.verdict else -1
    return place, person.fake_probability or 0.0


def outcome_of(people: Sequence[Person]) -> Outcome:
    """Why a medium has no score: what is wrong with its largest face."""
    if not people:
        return "no_face"
    return max(people, key=lambda person: person.box[2] * person.box[3]).outcome


def _faces_scored(person: Person) -> int:
    return sum(face.fake_probability is not None for face in person.faces)
