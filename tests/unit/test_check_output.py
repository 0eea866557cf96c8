"""What the outputs of `mesonet check` say besides the verdict."""

import csv
import io
from dataclasses import replace

import pytest

from mesonet.checking import Check, FileFacts, Likelihood, Person, Scale, SeenFace
from mesonet.cli.check_output import write_csv, write_text
from mesonet.evidence import Evidence
from mesonet.faces import Quality
from mesonet.provenance import ContentCredentials, Metadata, Provenance
from mesonet.provenance.thumbnail import Thumbnail

RATES = Evidence(0.2, 0.5, 0.95, (0.8, 0.15, 0.04, 0.01), (0.1, 0.2, 0.3, 0.4), 1000, 900)
SCALE = Scale(0.5, 0.2, 0.5, 0.95, RATES, kinds=("face swaps", "reenactment"), calibrated=True)


@pytest.fixture
def check() -> Check:
    face = SeenFace(0, None, (1, 2, 100, 120), (), Quality(120, 1, 100), 0.9, 0.9)
    likely = Likelihood(9.0, 4.0, 20.0, 900.0)
    person = Person(
        1, face.box, "scored", "some_evidence", 0.9, None, None, (face,), likelihood=likely
    )
    origin = Provenance(
        ContentCredentials("tampered", signer="\x1b[2J", made_by_ai=True),
        Metadata(ai_markers=("the software names itself Brush\x1b",)),
        Thumbnail(80.0),
    )
    return Check(
        *("a.jpg", "photo", "scored", "some_evidence", 0.9, FileFacts(), "standard", SCALE),
        people=(person,),
        provenance=origin,
    )


def text_of(*checks: Check) -> list[str]:
    stream = io.StringIO()
    write_text(checks, stream)
    return stream.getvalue().splitlines()


def rows_of(*checks: Check) -> list[dict[str, str]]:
    stream = io.StringIO()
    write_csv(checks, stream)
    return list(csv.DictReader(io.StringIO(stream.getvalue())))


def test_text_tells_the_likelihood_ratio_and_where_the_file_says_it_comes_from(check):
    lines = text_of(check)
    assert (
        "  Likelihood ratio 9.0: weak support for the first proposition; 4.0 to 20 under mild "
        "changes of the face" in lines
    )
    assert (
        "  origin: Content Credentials: The file or its Content Credentials were changed after "
        "signing; made by AI, says the signer; the software names itself Brush\\x1b; the embedded "
        "preview shows something else than the picture" in lines
    )
    assert any(
        "First: The face was manipulated. Second: The face was not" in line for line in lines
    )
    silent = replace(check, provenance=Provenance(ContentCredentials("absent"), Metadata()))
    assert not any("origin" in line for line in text_of(silent))


def test_table_has_rates_kinds_origin_and_the_likelihood_ratio(check):
    (row,) = rows_of(check)
    assert row["meaning"].startswith("Of 100 real faces 4 are called so, of 100 manipulated")
    assert row["kinds"] == "face swaps; reenactment"
    ratios = [row[f"likelihood_{name}"] for name in ("ratio", "low", "high")]
    assert ratios == ["9.0", "4.0", "20.0"]
    origin = ("content_credentials", "made_by_ai", "ai_markers", "preview_differs")
    assert [row[name] for name in origin] == [
        *("tampered", "True", "the software names itself Brush\x1b", "True"),
    ]


def test_kinds_are_told_where_nobody_was_scored_too(check):
    empty = replace(
        check, outcome="no_face", verdict=None, fake_probability=None, people=(), provenance=None
    )
    assert text_of(empty)[-1].startswith("Measured on: face swaps, reenactment.")
    (row,) = rows_of(empty)
    assert (row["kinds"], row["meaning"], row["likelihood_ratio"]) == (
        *("face swaps; reenactment", "", ""),
    )
