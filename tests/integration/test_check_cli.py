"""`mesonet check` as its user meets it."""

import csv
import io
import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image
from tests.clips import nobody, portrait, write_clip
from tests.command_line import mesonet, mesonet_process

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "check.schema.json").read_text())


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    pair = np.hstack([portrait(), portrait()[:, ::-1]])
    Image.fromarray(pair).save(folder / "a pair.jpg", quality=95)
    Image.fromarray(nobody()).save(folder / "nobody.png")
    write_clip(folder / "clip.mp4", [portrait()] * 4)
    (folder / "text.mp4").write_text("no clip")
    return folder


@pytest.fixture(scope="module")
def run(media, tmp_path_factory):
    """All of them checked by a real process, and the report of it."""
    page = tmp_path_factory.mktemp("report") / "report.html"
    result = mesonet_process("check", media, "--report", page, "--format", "jsonl")
    assert result.returncode == 1, result.stderr
    return result, page


@pytest.mark.slow
def test_json_lines_follow_the_schema(run):
    result, _ = run
    checks = {Path(c["path"]).name: c for c in map(json.loads, result.stdout.splitlines())}
    for record in checks.values():
        jsonschema.validate(record, SCHEMA)
    assert list(checks) == ["a pair.jpg", "clip.mp4", "nobody.png", "text.mp4"]
    assert [len(record["people"]) for record in checks.values()] == [2, 1, 0, 0]
    outcomes = [record["outcome"] for record in checks.values()]
    assert outcomes == ["scored", "scored", "no_face", "unreadable"]
    assert "1 unreadable" in result.stderr
    for record in checks.values():
        scored = record["outcome"] == "scored"
        assert (record["fake_probability"] is not None) == scored
        assert (record["verdict"] is not None) == scored


def test_text_says_what_words_mean(media):
    result = mesonet("check", media / "a pair.jpg", media / "nobody.png")
    assert result.returncode == 0, result.stderr
    assert "a pair.jpg  photo, 1024 x 512 px" in result.stdout
    assert "no score: no face was found" in result.stdout
    assert "No evidence does not mean authentic" in result.stdout
    assert "measured" in result.stdout


@pytest.mark.slow
def test_the_report_is_one_small_page_with_everything_in_it(run):
    result, page = run
    assert [path.name for path in page.parent.iterdir()] == ["report.html"]
    html = page.read_text()
    assert page.stat().st_size < 1_000_000
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    assert html.count("<article") == 4
    assert html.count("Face of person") == 3
    assert html.count('class="timeline"') == 1
    assert html.count('<figure id="m2f') == 4
    assert "No score: no face was found" in html
    assert "No score: it cannot be read" in html
    sha256 = json.loads(result.stdout.splitlines()[0])["file"]["sha256"]
    assert sha256 in html


def test_a_name_cannot_bring_markup_into_the_report(media, tmp_path):
    evil = tmp_path / "<script>alert(1)<"
    evil.mkdir()
    (evil / "a.png").write_bytes((media / "nobody.png").read_bytes())
    page = tmp_path / "report.html"
    assert mesonet("check", evil / "a.png", "--report", page).returncode == 0
    assert "<script>alert" not in page.read_text()


def test_csv_has_a_row_for_each_person_and_json_is_one_list(media, tmp_path):
    files = [media / name for name in ("a pair.jpg", "clip.mp4")]
    result = mesonet("check", *files, "--format", "csv", "--output", tmp_path / "a.csv")
    assert result.returncode == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    assert [row["person"] for row in rows] == ["1", "2", "1"]
    assert len({row["path"] for row in rows}) == 2
    result = mesonet("check", media / "nobody.png", "missing.jpg", "--format", "json")
    assert result.returncode == 1
    assert [record["outcome"] for record in json.loads(result.stdout)] == ["no_face"]
    assert "missing.jpg: no such file or directory" in result.stderr
