"""From tracked faces to people: one score for each."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from mesonet.checking.record import Outcome, Person, SeenFace
from mesonet.checking.scale import Scale
from mesonet.evidence import WORDS, Word
from mesonet.fragility import CHANGES, Fragility
from mesonet.model_info import logit

TRIM = 0.1
ENOUGH_FACES = 3
ENOUGH_PIXELS = 96
"""Longer side of a face from which on some or strong evidence is said.

Real faces of the sets, scaled down to 32 to 64 pixels, were given strong evidence five times
as often as those of 96 and more: see ``docs/benchmarks/face_size.md``.
"""

UNCERTAIN_BY_SIZE = "Uncertain, as the face has"
"""How the note begins that names the size as the reason."""


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
    word = scale.word(score)
    return Person(
        id=number,
        box=best.box,
        outcome="scored",
        verdict="uncertain" if _is_too_small(best, word) else word,
        fake_probability=score,
        share_above=sum(above) / len(above) if clip else None,
        longest_run=max(runs, default=0) if clip else None,
        faces=tuple(faces),
    )


def tested_person(person: Person, changed: Sequence[float | None], scale: Scale) -> Person:
    """Add the scores under mild changes; a verdict that does not hold is uncertain.

    Args:
        person: of a photograph.
        changed: ``fake_probability`` under each of `mesonet.fragility.CHANGES`, 0..1; where one is
            missing the person stays as they are.
        scale: its limits are those that a verdict is moved over.
    """
    known = {name: score for name, score in zip(CHANGES, changed, strict=True) if score is not None}
    if len(known) < len(CHANGES) or person.fake_probability is None:
        return person
    found = Fragility(person.fake_probability, known, (scale.uncertain, scale.some))
    verdict = "uncertain" if found.is_fragile else person.verdict
    return replace(person, fragility=found, verdict=verdict)


def note_on_size(person: Person, scale: Scale) -> str | None:
    """Why the verdict is uncertain though the score is not; None where size is not the reason."""
    score, best = person.fake_probability, person.best_face
    if score is None or not _is_too_small(best, scale.word(score)):
        return None
    return (
        f"{UNCERTAIN_BY_SIZE} {best.quality.size:.0f} pixels: below {ENOUGH_PIXELS} real "
        "faces are accused too often."
    )


def _is_too_small(face: SeenFace, word: Word) -> bool:
    return word in ("some_evidence", "strong_evidence") and face.quality.size < ENOUGH_PIXELS


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
