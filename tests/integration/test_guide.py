"""The commands of the guide to transfer learning run as written, on a small sample."""

import functools
import re
import shlex
import struct
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = DOCS / "transfer-learning.md"
SHORTER = {"--epochs 12": "--epochs 1", "--size 128": "--size 32"}
LARGEST_PICTURE = 60_000


@pytest.fixture(scope="module")
def guide():
    return GUIDE.read_text(encoding="utf-8")


def commands(guide):
    blocks = re.findall(r"```console\n(.*?)```", guide, re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def shortened(line):
    for long, short in SHORTER.items():
        line = line.replace(long, short)
    return line


def arguments_of(line):
    """Words as the shell gives them."""
    program, *words = shlex.split(line)
    assert program == "mesonet"
    return [name for word in words for name in (sorted(map(str, Path().glob(word))) or [word])]


def mentioned_files(guide):
    """File names in code font, such as `heads/crossval.json` or `run/model-*.keras`."""
    return re.findall(r"`([\w/*-]*[\w*]\.(?:html|json|keras|onnx|png))`", guide)


def test_every_command_and_file(guide, tmp_path, monkeypatch):
    pytest.importorskip("skimage")
    pytest.importorskip("tf2onnx")
    from recipes.guide_sample import make_sample

    from mesonet.cli import app
    from mesonet.detector import Detector

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MESONET_CACHE", str(tmp_path / "cache"))
    load = functools.cache(Detector.load)
    monkeypatch.setattr("mesonet.evaluation.calibration._CHANCE", 0)  # it learns too little
    monkeypatch.setattr(Detector, "load", lambda model, architecture=None: load(str(model)))
    assert all(long in guide for long in SHORTER)
    first, *rest = commands(guide)
    assert first == "python recipes/guide_sample.py faces"
    make_sample(Path("faces"), people=20, frames=2)
    for line in rest:
        result = CliRunner().invoke(app, arguments_of(shortened(line)))
        assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"
    names = mentioned_files(guide)
    assert len(names) >= 8
    assert [name for name in names if not list(tmp_path.glob(name))] == []


def test_its_pictures_are_there_and_small(guide):
    shown = re.findall(r"!\[[^]]+\]\((.+?)\)", guide)
    assert len(shown) >= 5
    for name in shown:
        content = (DOCS / name).read_bytes()
        assert content.startswith(b"\x89PNG"), name
        assert len(content) < LARGEST_PICTURE, name
        width, _ = struct.unpack(">II", content[16:24])
        assert width <= 1000, name
