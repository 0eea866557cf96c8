"""Many media by the command line: Parquet parts, lists, limits."""

import json
from pathlib import Path

import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.clips import nobody, portrait, write_clip
from tests.command_line import mesonet, only_line
from tests.images import write_picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("faces")
    for number in range(5):
        write_picture(root / f"{number}.png", seed=number)
    (root / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    return root


def without_nulls(row):
    return {name: value for name, value in row.items() if value is not None}


def rows(output):
    found = [without_nulls(row) for row in pq.read_table(output).to_pylist()]
    for row in found:
        row.pop("size", None)
        row.pop("modified", None)
    return found


def test_parts_have_the_rows_of_json_lines(folder, tmp_path):
    inputs = ("predict", folder, folder / "gone.png", "--model", "meso4")
    lines = mesonet(*inputs, "--format", "jsonl")
    parts = mesonet(
        *inputs, "--format", "parquet", "--output", tmp_path / "out", "--shard-size", "2"
    )
    assert (lines.returncode, parts.returncode) == (1, 1)
    assert "2 unreadable" in only_line(parts.stderr)
    wanted = [without_nulls(json.loads(line)) for line in lines.stdout.splitlines()]
    assert rows(tmp_path / "out") == wanted
    assert len(list((tmp_path / "out").iterdir())) == 4
    again = mesonet(*inputs, "--format", "parquet", "-o", tmp_path / "out", "--resume")
    assert again.returncode == 0
    assert "nothing new" in again.stderr
    assert "7 were in the parts already" in again.stderr
    other = mesonet(*inputs, "--format", "parquet", "-o", tmp_path / "out", "--resume", "-t", "0.5")
    assert other.returncode == 1
    assert "was made with another settings" in only_line(other.stderr)


def test_checks_in_parts_are_the_json_lines(tmp_path):
    media = tmp_path / "media"
    media.mkdir()
    Image.fromarray(np.hstack([portrait(), portrait()[:, ::-1]])).save(media / "pair.jpg")
    Image.fromarray(nobody()).save(media / "nobody.png")
    write_clip(media / "clip.mp4", [portrait()] * 4)
    (media / "text.mp4").write_text("no clip")
    inputs = ("check", media, "--model", "meso4", "--quick", "--format")
    lines = mesonet(*inputs, "jsonl")
    assert mesonet(*inputs, "parquet", "-o", tmp_path / "out").returncode == 1
    table = pq.read_table(tmp_path / "out").to_pylist()
    wanted = [json.loads(line) for line in lines.stdout.splitlines()]
    assert [json.loads(row["record"]) for row in table] == wanted
    for row, record in zip(table, wanted, strict=True):
        for name in ("path", "kind", "outcome", "verdict", "fake_probability"):
            assert row[name] == record[name]
        assert (row["error"] is None) == (row["outcome"] != "unreadable")


def test_objects_behind_addresses_are_scored_like_files(folder, tmp_path):
    system = fsspec.filesystem("memory")
    system.put(str(folder), "/bucket/faces", recursive=True)
    try:
        result = mesonet("predict", "memory:///bucket/faces", "-m", "meso4", "--format", "jsonl")
    finally:
        system.rm("/bucket", recursive=True)
    local = mesonet("predict", folder, "-m", "meso4", "--format", "jsonl")
    found, wanted = (
        {Path(row.pop("path")).name: row for row in map(json.loads, output.stdout.splitlines())}
        for output in (result, local)
    )
    assert found == wanted
    assert len(found) == 6


def test_lists_limits_and_dry_runs(folder, tmp_path):
    listing = tmp_path / "list.txt"
    plan = mesonet("predict", folder, folder / "gone.png", "--dry-run")
    assert plan.returncode == 1
    assert plan.stdout.splitlines() == [str(path) for path in sorted(folder.iterdir())]
    assert "6 files, " in plan.stderr
    assert "gone.png: no such file" in plan.stderr
    listing.write_text(plan.stdout)
    first = mesonet(
        "predict", "--list", listing, "--limit", 2, "-m", "meso4", "--format", "parquet",
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert first.returncode == 0
    assert [Path(row["path"]).name for row in rows(tmp_path / "out")] == ["0.png", "1.png"]
    rest = mesonet(
        "predict", "--list", listing, "-m", "meso4", "--format", "parquet", "-o", tmp_path / "out",
        "--resume", "--dry-run",
    )  # fmt: skip
    assert [Path(line).name for line in rest.stdout.splitlines()] == [
        "2.png", "3.png", "4.png", "broken.jpg",
    ]  # fmt: skip
    allowed = mesonet("predict", folder, "-m", "meso4", "--max-error-share", "0.2")
    assert allowed.returncode == 0
    refused = mesonet("predict", folder, "-m", "meso4", "--max-error-share", "0.1")
    assert refused.returncode == 1
    assert "1 of 6 could not be read" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.png", "--resume"], "--resume needs --format parquet"),
        (["x.png", "--engine", "ray"], "--engine needs --format parquet"),
        (["x.png", "--format", "parquet"], "--format parquet needs --output DIR"),
        (["x.png", "--format", "parquet", "-o", __file__], "is a file"),
        (["--list", "gone.txt"], "gone.txt: no such file"),
    ],
)
def test_what_makes_no_sense_is_said(arguments, message):
    result = mesonet("predict", *arguments)
    assert result.returncode == 1
    assert message in only_line(result.stderr)
