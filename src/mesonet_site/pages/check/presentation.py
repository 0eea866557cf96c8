"""From the record of a check to what its page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mesonet.checking.explaining import NONE_PASSED, NOT_CALLED
from mesonet.checking.people import ENOUGH_PIXELS, UNCERTAIN_BY_SIZE
from mesonet_site.pages.check.notes import say
from mesonet_site.pages.check.why import Reason, Weight, meaning
from mesonet_site.pages.check.words import (
    ADVICE,
    CHANGES,
    CREDENTIALS,
    EXPLAINED,
    FLAWS,
    METADATA,
    OUTCOMES,
    SIGNS,
    VERDICTS,
    kinds_of,
)

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Bar:
    """A probability on a line of 100, with the limits of the words.

    Attributes:
        at: the probability, 0..100.
        threshold: from here on the model calls a face manipulated.
        uncertain: from here to ``some`` it does not decide.
        some: from here on there is some evidence.
        strong: from here on there is strong evidence; None where that was not measured.
    """

    at: float
    threshold: float
    uncertain: float
    some: float
    strong: float | None

    @property
    def width(self) -> float:
        """Of the range in which the model does not decide."""
        return self.some - self.uncertain

    @property
    def left(self) -> float:
        """Where the mark of the probability begins that is drawn 1.6 wide."""
        return min(max(self.at - 0.8, 0.0), 98.4)

    @property
    def shares(self) -> dict[str, float]:
        """The limits as fractions, as people read them."""
        limits = {"threshold": self.threshold, "low": self.uncertain, "high": self.some}
        return {name: value / 100 for name, value in limits.items()}


class PersonView:
    """Somebody in a medium, with words for what was found."""

    def __init__(self, person: Record, medium: "MediumView") -> None:
        self.record = person
        self._model = medium.model
        self.id = person["id"]
        self.verdict = person["verdict"]
        self.sign = SIGNS[self.verdict]
        self.words = VERDICTS[self.verdict] if self.verdict else FLAWS[person["outcome"]]
        self.meaning = meaning(medium.model, self.verdict)
        self.fake_probability = person["fake_probability"]
        self.crop = medium.pictures.get("crops", {}).get(str(self.id))
        self.bar = medium.bar(self.fake_probability)
        self.faces = person["faces"]
        likelihood = person.get("likelihood")
        self.weight = Weight(likelihood) if likelihood else None
        maps = medium.pictures.get("maps", {})
        self.reasons = [Reason(found, maps) for found in person.get("explanations", ())]

    @property
    def stability(self) -> str:
        """What mild changes of the face do to the verdict; empty where they were not tried."""
        fragility = self.record.get("fragility")
        if not fragility:
            return ""
        turned, count = fragility["turned_by"], len(fragility["changed"])
        if not turned:
            text = _("None of %(count)s mild changes of the face, such as mirroring, moves this.")
            return text % {"count": count}
        names = ", ".join(str(CHANGES.get(name, name)) for name in turned)
        if fragility["fragile"]:
            text = _(
                "Uncertain because it hangs on what says nothing about truth: it changes when the "
                "face is %(names)s."
            )
        else:
            text = _("This would be another word if the face were %(names)s.")
        return text % {"names": names}

    @property
    def size(self) -> str:
        """That the face is too small for what its score says; empty where it is not."""
        pixels = _pixels_too_few(self.record, self._model)
        if pixels is None:
            return ""
        text = _(
            "Uncertain because the face has only %(pixels)s pixels: below %(enough)s real faces "
            "are accused too often."
        )
        return text % {"pixels": int(pixels), "enough": ENOUGH_PIXELS}

    @property
    def times(self) -> tuple[float, float] | None:
        """When the person is first and last seen in a clip, in seconds."""
        first, last = self.faces[0]["time"], self.faces[-1]["time"]
        return None if first is None else (first, last)

    @property
    def share_above(self) -> float | None:
        """Percent of the faces that are above the threshold."""
        share = self.record["share_above"]
        return None if share is None else 100 * share


class MediumView:
    """A photograph or clip with everything that was found.

    Args:
        record: see `mesonet.checking.Check.to_dict`.
        pictures: addresses of the ``scene``, its ``scale`` and ``frame``, the ``crops`` by person
            and the ``frames`` by number; empty where no pictures are kept.
    """

    def __init__(self, record: Record, pictures: Mapping[str, Any]) -> None:
        self.record = record
        self.pictures = pictures
        self.name = record["path"]
        self.is_clip = record["kind"] == "clip"
        self.verdict = record["verdict"]
        self.sign = SIGNS[self.verdict]
        self.file = record["file"]
        self.model = record["model"]
        self.suspect = self._suspect()
        self.people = [PersonView(person, self) for person in record["people"]]

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        if self.verdict is None:
            return str(OUTCOMES[self.record["outcome"]])
        if len(self.people) < 2 or self.suspect is None:
            return f"{VERDICTS[self.verdict]}."
        if self.verdict == "no_evidence":
            return _("No evidence of manipulation on any person that could be judged.")
        same = [str(person.id) for person in self.deciding]
        text = ngettext("%(words)s: person %(who)s.", "%(words)s: persons %(who)s.", len(same))
        return text % {"words": VERDICTS[self.verdict], "who": ", ".join(same)}

    @property
    def explanation(self) -> str:
        """What to make of it, or to do about it."""
        if self.verdict is None:
            return str(ADVICE[self.record["outcome"]])
        fragility = self.suspect and self.suspect.get("fragility")
        if fragility and fragility["fragile"]:
            return _("The score hangs on what says nothing about truth, so it decides nothing.")
        if self.suspect and _pixels_too_few(self.suspect, self.model) is not None:
            return _("The face is so small that its score decides nothing.")
        return str(EXPLAINED[self.verdict])

    @property
    def deciding(self) -> list[PersonView]:
        """Those whose verdict is that of a picture or clip with several people."""
        if len(self.people) < 2 or self.verdict in (None, "no_evidence"):
            return []
        return [person for person in self.people if person.verdict == self.verdict]

    @property
    def counted(self) -> str:
        """How many people there are."""
        count = len(self.people)
        text = ngettext("One person was found.", "%(count)s people were found.", count)
        return text % {"count": count}

    @property
    def judged(self) -> list[PersonView]:
        """Those who have a score."""
        return [person for person in self.people if person.fake_probability is not None]

    @property
    def notes(self) -> list[SafeString]:
        """What went wrong; not what the page says elsewhere."""
        told = {NONE_PASSED, NOT_CALLED}
        beginnings = [f"{self.left_out} more"] if self.left_out else []
        for person in self.record["people"]:
            beginnings.append(f"person {person['id']}: {UNCERTAIN_BY_SIZE}")
            if fragility := person.get("fragility"):
                beginnings.append(f"person {person['id']}: {fragility['text'].removesuffix('.')}")
        return [
            say(note)
            for note in self.record["notes"]
            if note not in told and not note.startswith(tuple(beginnings))
        ]

    @property
    def weighed(self) -> bool:
        """Whether somebody has a likelihood ratio."""
        return any(person.weight for person in self.people)

    @property
    def left_out(self) -> int:
        """How many people were not scored, as their faces are smaller."""
        return self.record["people_left_out"]

    @property
    def unexplained(self) -> bool:
        """Whether nobody can say where the score came from, with this model."""
        return NONE_PASSED in self.record["notes"]

    @property
    def kinds(self) -> str:
        """Which manipulations the model was measured on."""
        return kinds_of(self.model["kinds"])

    def bar(self, fake_probability: float | None) -> Bar | None:
        """Where a probability lies."""
        if fake_probability is None:
            return None
        starts = self.model["starts"]
        strong = starts["strong_evidence"]
        return Bar(
            at=100 * fake_probability,
            threshold=100 * self.model["threshold"],
            uncertain=100 * starts["uncertain"],
            some=100 * starts["some_evidence"],
            strong=None if strong is None else 100 * strong,
        )

    @property
    def scene_people(self) -> list[dict[str, Any]]:
        """Boxes of the people on the scene, in its pixels, and where their numbers go."""
        if not self.pictures:
            return []
        scale, frame = self.pictures["scale"], self.pictures["frame"]
        unit = max(self.pictures["width"], self.pictures["height"], 480) / 40
        return [
            _box(person, [scale * side for side in face["box"]], unit)
            for person in self.people
            for face in person.faces
            if face["frame"] == frame
        ]

    @property
    def origin(self) -> "Origin | None":
        """What the file says of where it comes from."""
        provenance = self.record.get("provenance")
        return Origin(provenance) if provenance else None

    def _suspect(self) -> Record | None:
        """The person who decides the verdict."""
        score = self.record["fake_probability"]
        scored = (person for person in self.record["people"] if score is not None)
        return next((person for person in scored if person["fake_probability"] == score), None)


class Origin:
    """What a file says of its origin, in words.

    Attributes:
        state: whether there are Content Credentials, and whether they hold.
        credentials: what they say.
        metadata: label and value of what is written in the file.
        ai_markers: what says that a generative model had a part in it.
        has_position: whether a place is written.
        preview_differs: whether the preview inside shows something else than the picture.
    """

    def __init__(self, provenance: Record) -> None:
        self.credentials = provenance["content_credentials"]
        self.state = CREDENTIALS[self.credentials["state"]]
        metadata = provenance["metadata"] or {}
        found = ((label, metadata.get(name)) for name, label in METADATA.items())
        self.metadata = [(label, value) for label, value in found if value]
        self.ai_markers = metadata.get("ai_markers") or []
        self.has_position = bool(metadata.get("has_position"))
        self.preview_differs = bool((provenance["thumbnail"] or {}).get("differs"))


def _pixels_too_few(person: Record, model: Record) -> float | None:
    """Pixels of a face whose score says more than its size allows; None where size is no reason."""
    score = person["fake_probability"]
    if person["verdict"] != "uncertain" or score < model["starts"]["some_evidence"]:
        return None
    scored = (face for face in person["faces"] if face["fake_probability"] is not None)
    size: float = max(face["quality"]["size"] for face in scored)
    return size if size < ENOUGH_PIXELS else None


def _box(person: PersonView, box: Sequence[float], unit: float) -> dict[str, Any]:
    """A face's box, and the tag with the person's number at its upper left corner."""
    left, top, width, height = (round(side, 1) for side in box)
    corner = max(left, 0.0), max(top, 0.0)
    return {
        "person": person,
        "rect": {"x": left, "y": top, "width": width, "height": height},
        "tag": {"x": corner[0], "y": corner[1], "width": round(1.4 * unit, 1), "height": unit},
        "text": {"x": round(corner[0] + 0.7 * unit, 1), "y": round(corner[1] + 0.8 * unit, 1)},
        "font": round(0.8 * unit, 1),
    }
