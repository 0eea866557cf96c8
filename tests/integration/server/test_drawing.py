"""Layers that are drawn in a process of their own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rest_framework.test import APIClient
from tests.integration.server.helpers import SIZE, wait_until

from classifiers import child, drawing, models
from classifiers.models import MLModel
from mesonet.errors import ModelFileError
from mesonet_site.api import reference

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from classifiers.drawing import draw
images = np.random.default_rng(0).random((2, 32, 32, 3)).astype(np.float32)
pictures = draw(Path(sys.argv[1]), images, [3, 0], 300)
assert [[picture[:4] for picture in row] for row in pictures] == [[b"\\x89PNG"] * 2] * 2
assert pictures[0][0] != pictures[1][0] != pictures[1][1]
heavy = {"keras", "tensorflow", "matplotlib", "django"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.sqlite_is_enough
@pytest.mark.slow
def test_who_asks_for_plots_stays_light_and_who_draws_needs_no_tensorflow(
    model_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "tensorflow.py").write_text("raise ImportError")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-c", PROGRAM, str(model_file)]
    subprocess.run(command, check=True, env=environment)


STUCK = """
import os, pathlib, sys, time
from classifiers import child
child.follow()
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(600)
"""


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that is never done, beside the file that it writes its number to."""
    (tmp_path / "stuck.py").write_text(STUCK)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    return tmp_path / "pid"


def test_it_ends_with_the_process_that_asked(stuck: Path) -> None:
    program = "import sys; from classifiers import child; child.run('stuck', sys.argv[1], 600)"
    asking = subprocess.Popen([sys.executable, "-c", program, str(stuck)])
    wait_until(lambda: stuck.is_file() and stuck.read_text())
    pid = int(stuck.read_text())
    asking.kill()
    asking.wait()
    wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_it_ends_in_time(stuck: Path) -> None:
    with pytest.raises(TimeoutError, match="takes longer than 0.1 seconds"):
        child.run("stuck", str(stuck), 0.1)


def test_a_process_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backends = []

    def crash(module: str, folder: str, seconds: float, **environment: str) -> Any:
        backends.append(environment["KERAS_BACKEND"])
        return subprocess.CompletedProcess([], -11, "")

    monkeypatch.setattr(drawing.child, "run", crash)
    with pytest.raises(ModelFileError, match="makes the program that draws its layers crash"):
        drawing.draw(tmp_path / "model.h5", np.zeros((1, 8, 8, 3)), [0], 1)
    assert backends == ["openvino", "tensorflow"]


@pytest.fixture
def drawn(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each process was given."""
    settings.CLASSIFIERS_DRAW_SECONDS = 9
    asked: list[int] = []

    def draw(path: Path, images: Any, layers: Sequence[int], seconds: float) -> Any:
        assert path.is_file()
        assert images.shape[1:] == (SIZE, SIZE, 3)
        asked.append(len(images))
        if len(layers) == 3:
            raise TimeoutError
        return [[b"%d" % layer for layer in layers] for _ in images]

    monkeypatch.setattr(models, "draw", draw)
    return asked


def test_only_what_is_missing_is_drawn(model: MLModel, drawn: list[int], home: Path) -> None:
    images = np.random.default_rng(0).random((3, SIZE, SIZE, 3)).astype(np.float32)
    first = model.visualize_elsewhere(images[:2], [3, 0])
    again = model.visualize_elsewhere(images, [3, 0])
    assert drawn == [2, 1]
    assert again[:2] == first
    assert [url[-9:] for url in again[2]] == ["conv3.png", "conv0.png"]
    assert (home / again[2][0].removeprefix("/")).read_bytes() == b"3"
    assert model.visualize_elsewhere(images, [0]) == [[row[1]] for row in again]
    assert drawn == [2, 1]


def test_one_drawing_at_a_time(
    model: MLModel, drawn: list[int], client: APIClient, settings: Any
) -> None:
    settings.SCORE_WAIT_SECONDS = 0
    url = f"/api/predictions/{model.pk}/2/0,1/"
    with reference._drawing:
        answer = client.get(url)
        assert client.get(f"/api/predictions/{model.pk}/2/").status_code == 200
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert drawn == []
    assert [client.get(url).status_code for _ in range(2)] == [200, 200]  # it is free each time


def test_what_takes_too_long_is_503(model: MLModel, drawn: list[int], client: APIClient) -> None:
    answer = client.get(f"/api/predictions/{model.pk}/2/0,1,2/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "could not be drawn in time" in answer.json()["detail"]
