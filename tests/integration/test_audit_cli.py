"""``mesonet audit`` as its user meets it, and on the research data."""

import csv
import json
import shutil

import pytest
from tests.command_line import mesonet, mesonet_process
from tests.images import write_picture

from mesonet.audit import audit


def mesonet_audit(*arguments):
    return mesonet("audit", *arguments, COLUMNS="100")


@pytest.fixture
def sides(tmp_path):
    """Training and test folders of different pictures."""
    for part, side in enumerate(("train", "test")):
        for label, kind in enumerate(("df", "real")):
            for number in range(6):
                seed = 100 * part + 10 * label + number
                write_picture(tmp_path / side / kind / f"{seed}.png", seed, size=48)
    return tmp_path / "train", tmp_path / "test"


def test_a_clean_set_passes(sides):
    train, test = sides
    result = mesonet_process("audit", train, "--against", test, COLUMNS="100")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert f"{train}: 12 images (6 df, 6 real); PNG, 48 x 48 px" in result.stdout
    assert "Nothing found" in result.stdout


def test_a_leak_is_told_in_words_and_by_the_exit_code(sides):
    train, test = sides
    shutil.copy(train / "real" / "12.png", test / "real" / "new name.png")
    result = mesonet_audit(train, "--against", test)
    assert result.returncode == 3
    assert result.stderr == ""
    words = " ".join(result.stdout.split())
    assert "leak Of the 13 images in" in words
    assert "an honest accuracy of 80 % would read 81.5 %" in words
    assert str(test / "real" / "new name.png") in words
    assert "1 leak and 0 warnings: do not believe figures" in words


def test_json_into_a_file(sides, tmp_path):
    train, test = sides
    (train / "df" / "broken.png").write_bytes(b"no image")
    target = tmp_path / "audit.json"
    result = mesonet_audit(train, "--against", test, "--format", "json", "--output", target)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    audited = json.loads(target.read_text())
    assert audited["schema_version"] == 1
    assert (audited["folder"], audited["against"]) == (str(train), str(test))
    assert audited["has_leaks"] is False
    finding, *notes = audited["findings"]
    assert [note["text"] for note in notes] == [
        f"The class {name} has only 6 images." for name in ("df", "real")
    ]
    assert set(finding) == {"kind", "severity", "text", "effect", "count", "images"}
    assert (finding["kind"], finding["severity"], finding["count"]) == ("unreadable", "warning", 1)
    assert finding["images"][0][0].startswith(str(train / "df" / "broken.png"))


def test_groups_of_both_sides_and_wrong_ones(sides, tmp_path):
    train, test = sides
    shutil.move(test / "df" / "100.png", test / "df" / "3_100.png")
    assert mesonet_audit(train, "--against", test, "--groups", "video").returncode == 3
    table = tmp_path / "groups.csv"
    table.write_text("file,group\nreal/1.png,1\n")
    for options, message in (
        (["--groups", "vidoe"], "vidoe is neither"),
        (["--groups", table], "are not listed"),
        (["--against-groups", "video"], "groups of the other folder"),
        (["--against", tmp_path / "gone"], "no such folder"),
    ):
        result = mesonet_audit(train, *options)
        assert result.returncode == 1
        (line,) = result.stderr.splitlines()
        assert message in line
        assert result.stdout == ""


def _pairs(finding):
    return {
        frozenset((one, other))
        for together in finding.images
        for number, one in enumerate(together)
        for other in together[:number]
    }


def test_sources_of_composites_are_found(shared):
    """Precision by eye was 92 of 92; a third of the listed pairs are of different people."""
    root = shared / "data" / "ciplab"
    (finding,) = audit(root).findings
    assert finding.kind == "look-alikes"
    found = _pairs(finding)
    with (root / "groups.csv").open(newline="") as table:
        groups = {str(root / row["file"]): row["group"] for row in csv.DictReader(table)}
    both = {pair for pair in found if len({groups[path] for path in pair}) == 1}
    assert len(found) >= 90
    assert len(both) >= 48


def test_pairs_of_people_are_not_taken_for_one_another(shared):
    result = audit(shared / "data" / "ffpp", groups="pair")
    assert [finding.kind for finding in result.findings] == ["copies"]
    assert not result.has_leaks


def test_frames_are_alike_within_their_video_only(shared, tmp_path):
    source = shared / "data" / "mesonet"
    for kind in ("df", "real"):
        (tmp_path / kind).mkdir()
        for path in sorted((source / kind).iterdir())[::5]:
            (tmp_path / kind / path.name).symlink_to(path)
    alone = {finding.kind for finding in audit(tmp_path).findings}
    assert alone == {"frames without groups", "look-alikes", "uneven classes"}
    grouped = audit(tmp_path, groups="video").findings
    assert {finding.kind for finding in grouped} == {"uneven classes"}
