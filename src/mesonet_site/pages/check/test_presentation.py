"""What a page shows of a record."""

from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils.translation import override

from mesonet.checking.explaining import NONE_PASSED, NOT_CALLED
from mesonet.provenance.content_credentials import Action, ContentCredentials, Ingredient
from mesonet.provenance.metadata import Metadata
from mesonet.provenance.provenance import Provenance
from mesonet.provenance.thumbnail import Thumbnail
from mesonet_site.pages.check.notes import say
from mesonet_site.pages.check.presentation import MediumView


def person(number: int, verdict: str, score: float, **more: Any) -> dict[str, Any]:
    face = {"frame": 0, "time": None, "box": [0, 0, 9, 9], "fake_probability": score}
    return {
        "id": number,
        "outcome": "scored",
        "verdict": verdict,
        "fake_probability": score,
        "share_above": None,
        "faces": [face],
        **more,
    }


def record(*people: dict[str, Any], **more: Any) -> dict[str, Any]:
    worst = max(people, key=lambda somebody: somebody["fake_probability"])
    starts = {"uncertain": 0.3, "some_evidence": 0.7, "strong_evidence": None}
    model = {"name": "m", "threshold": 0.5, "starts": starts, "rates": None, "error_rate": None}
    return {
        "path": "photo.jpg",
        "kind": "photo",
        "outcome": "scored",
        "verdict": worst["verdict"],
        "fake_probability": worst["fake_probability"],
        "file": {},
        "model": model | {"level": "image", "kinds": ["face swaps", "puppets"]},
        "people": list(people),
        "people_left_out": 0,
        "notes": [],
        **more,
    }


def test_those_who_decide_are_named() -> None:
    people = (person(1, "no_evidence", 0.1), person(2, "some_evidence", 0.9))
    view = MediumView(record(*people), {})
    assert [somebody.id for somebody in view.deciding] == [2]
    assert view.headline == "Some evidence of manipulation: person 2."
    assert MediumView(record(people[0], person(2, "no_evidence", 0.2)), {}).deciding == []
    assert MediumView(record(people[1]), {}).deciding == []


def test_fragile_score_is_not_said_to_lie_between_the_words() -> None:
    fragility = {"fragile": True, "turned_by": ["mirrored"], "changed": {"mirrored": 0.5}}
    fragile = person(1, "uncertain", 0.1, fragility=fragility | {"text": "Uncertain, as it moves."})
    view = MediumView(record(fragile, notes=["person 1: Uncertain, as it moves", "x"]), {})
    assert "hangs on" in view.explanation
    assert view.notes == ['<span lang="en">x</span>']
    assert "wrong too often" in MediumView(record(person(1, "uncertain", 0.5)), {}).explanation


def test_a_face_that_is_small_is_uncertain_for_its_size() -> None:
    quality = {"size": 80.4}
    small = person(1, "uncertain", 0.9)
    small["faces"][0]["quality"] = quality
    note = "person 1: Uncertain, as the face has 80 pixels: below 96 real faces are ..."
    view = MediumView(record(small, notes=[note]), {})
    assert "so small" in view.explanation
    assert "only 80 pixels: below 96 real faces" in view.people[0].size
    assert view.notes == []
    with override("es"):
        assert "tan pequeña" in view.explanation
        assert "solo 80 píxeles" in view.people[0].size
    quality["size"] = 200.0
    assert "wrong too often" in MediumView(record(small), {}).explanation


def test_common_notes_are_told_in_the_language_of_the_page() -> None:
    note = "the file says that it lasts 1,234.5 s, and its pictures last 2.0 s"
    with override("es"):
        told = say(note)
        assert "dura 1" in told
        assert "234,5 s, y sus imágenes duran 2,0 s" in told
        assert say("a <b> & c") == '<span lang="en">a &lt;b&gt; &amp; c</span>'
    assert say(note) == note


def test_what_a_file_says_of_its_origin_is_shown() -> None:
    credentials = ContentCredentials(
        "untrusted",
        signer="A <b>maker</b>",
        actions=(Action("c2pa.created", "Painter 3", "trainedAlgorithmicMedia"),),
        ingredients=(Ingredient("sky.png", "componentOf"),),
        made_by_ai=True,
        problems=("signingCredential.untrusted",),
    )
    found = Metadata(camera="Box 1", has_position=True, ai_markers=("software Painter",))
    provenance = Provenance(credentials, found, Thumbnail(80.0)).to_dict()
    view = MediumView(record(person(1, "uncertain", 0.5), provenance=provenance), {})
    page = render_to_string("check/facts.html", {"medium": view, "level": 1})
    for shown in (
        "the signer is not on the trust list",
        "Signer: A &lt;b&gt;maker&lt;/b&gt;.",
        "a generative model had a part in it",
        "Painter 3",
        "sky.png",
        "Box 1",
        "One is written in the file; it is not repeated here.",
        "software Painter",
        "The preview inside the file shows something else",
    ):
        assert shown in page
    assert "Where it says it comes from" in page


@pytest.mark.parametrize(
    "note", [NONE_PASSED, NOT_CALLED, "3 more people, with smaller faces, ..."]
)
def test_what_the_page_says_itself_is_not_noted_again(note: str) -> None:
    view = MediumView(record(person(1, "uncertain", 0.5), people_left_out=3, notes=[note, "x"]), {})
    assert view.notes == ['<span lang="en">x</span>']
    assert view.unexplained == (note == NONE_PASSED)
    assert view.kinds == "face swaps, puppets"
