"""`mesonet benchmark` as its user meets it."""

import json
import shlex
import sys

import pytest
from tests.command_line import mesonet, mesonet_process
from tests.images import write_class_folders

from mesonet.cli import main


@pytest.fixture
def folder(tmp_path):
    write_class_folders(tmp_path / "one", videos=3, frames=3)
    write_class_folders(tmp_path / "two", videos=3, frames=2, classes=("fake", "real"))
    return tmp_path


@pytest.mark.slow
def test_report_and_json(folder):
    (folder / "one/real/broken_0.png").write_bytes(b"broken")
    arguments = [
        "benchmark",
        *("--model", "meso4", "--model", "other=mesoinception4"),
        *("--data", "one=one:video", "--data", "two=two"),
        *("--trained-on", "meso4=web", "--trained-on", "meso4=other, one"),
        *("--output", "report.html"),
    ]
    result = mesonet_process(*arguments, cwd=folder, MESONET_CACHE=str(folder / "cache"))
    assert result.returncode == 1, result.stderr
    assert "left out: one: real/broken_0.png: not an image" in result.stderr
    assert "mesonet: meso4 was trained on web, no --data here" in result.stderr
    assert "wrote report.html and report.json" in result.stdout
    text = (folder / "report.json").read_text()
    content = json.loads(text)
    domains = [(e["model"], e["data"], e["domain"]) for e in content["results"]]
    assert domains == [
        ("meso4", "one", "in-domain"),
        ("other", "one", "not declared"),
        ("meso4", "two", "unseen"),
        ("other", "two", "not declared"),
    ]
    assert [entry["images"] for entry in content["data"]] == [18, 12]
    assert content["command"] == shlex.join(["mesonet", *arguments])
    assert str(folder) not in text
    assert "real/broken_0.png" in (folder / "report.html").read_text()
    assert not list(folder.glob(".*"))

    again = mesonet(*arguments, cwd=folder, MESONET_CACHE=str(folder / "cache"))
    repeated = json.loads((folder / "report.json").read_text())
    assert repeated["results"] == content["results"], again.stderr


def test_scores_in_place_of_a_model(folder):
    rows = ["file,fake_probability,threshold"]
    for path in sorted((folder / "one").rglob("*.png")):
        name = path.relative_to(folder / "one").as_posix()
        rows.append(f"{name},{0.8 if name.startswith('df') else 0.1},0.3")
    (folder / "scores.csv").write_text("\n".join(rows))
    result = mesonet(
        "benchmark", "--scores", "cv@one=scores.csv", "--data", "one=one:video", cwd=folder
    )
    assert result.returncode == 0, result.stderr
    content = json.loads((folder / "benchmark.json").read_text())
    (entry,) = content["results"]
    assert entry["image"]["figures"]["auc"]["value"] == 1
    assert entry["group"]["figures"]["accuracy"]["value"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "one=one"], "a benchmark needs a --model or --scores"),
        (["--data", "one", "-m", "meso4"], "--data takes NAME=DIR[:GROUPS], not 'one'"),
        (["--data", "one=nowhere", "-m", "meso4"], "nowhere: no such folder"),
        (["--data", "a=one", "--data", "a=two", "-m", "meso4"], "two --data are called 'a'"),
        (["--data", "a=one", "-m", "meso4", "-m", "meso4"], "tell them apart with NAME=MODEL"),
        (["--data", "a=one", "--scores", "cv@b=x.csv"], "--scores takes NAME@DATA=FILE"),
        (["--data", "a=one", "--scores", "cv@a=x.csv"], "x.csv"),
        (
            ["--data", "a=one", "--scores", "cv@a=x.csv", "--scores", "cv@a=y.csv"],
            "--scores names cv@a twice",
        ),
        (["--data", "a=one", "-m", "meso4", "--trained-on", "x=a"], "--trained-on names 'x'"),
        (["--data", "a=one", "-m", "meso4", "-o", "out.json"], "name the page, such as out.html"),
        (["--data", "a=one", "-m", "meso4", "-o", "nowhere/out.html"], "nowhere: No such file"),
        (["--data", "a=one:vidoe", "-m", "meso4"], "--groups takes 'video'"),
        (
            ["--data", "a=one", "-m", "meso4", "--part", "test"],
            "--part takes FILE:PART, not 'test'",
        ),
    ],
)
def test_mistakes_are_one_line(folder, arguments, message, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["mesonet", "benchmark", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not list(folder.glob("*.html"))
