"""`mesonet_site.serve`: everything on a fresh machine."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesonet.cli import app
from mesonet.errors import DataError
from mesonet_site.serve import serve

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from pathlib import Path
from mesonet_site.serve import serve
serve("127.0.0.1", int(sys.argv[1]), Path(sys.argv[2]), None)
"""
OURS = ("SECRET_KEY", "MESONET_HOME", "DATABASE_URL", "DJANGO_SETTINGS_MODULE")


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def start(port: int, home: Path) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    command = [sys.executable, "-c", PROGRAM, str(port), str(home)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, cwd=home.parent
    )


def greeting(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "Ctrl-C stops it.\n")
    return "".join(line for line in lines if line or pytest.fail("it ended"))


def test_a_fresh_machine(tmp_path: Path, port: int, started: list[subprocess.Popen[str]]) -> None:
    home = tmp_path / "home"
    started.append(start(port, home))
    text = greeting(started[0])

    assert f"ready at http://127.0.0.1:{port}" in text
    assert f"curl -F image=@face.jpg http://127.0.0.1:{port}/api/v1/detections" in text
    assert "log in as        admin, password " in text
    for path in ("api/v1/livez", "api/docs/", "admin/login/", "static/admin/css/base.css"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}") as answer:
            assert answer.status == 200
    assert (home / ".env").stat().st_mode & 0o777 == 0o600
    key = (home / ".env").read_text()

    started[0].send_signal(signal.SIGINT)
    assert started[0].wait(30) == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]

    started.append(start(port, home))
    assert "password" not in greeting(started[1])
    assert (home / ".env").read_text() == key
    started[1].terminate()
    assert started[1].wait(30) == 0


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{taken}: address already"):
            serve("127.0.0.1", taken, tmp_path, None)


def test_data_that_is_no_dataset(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    with pytest.raises(DataError, match="no such folder"):
        serve("127.0.0.1", port, tmp_path, tmp_path / "missing")


@pytest.mark.parametrize(("options", "home"), [((), "named"), (("--home", "other"), "other")])
def test_the_home_folder_is_named_by_the_environment_or_the_option(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], home: str
) -> None:
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr("mesonet_site.serve.serve", lambda *given: calls.append(given))
    result = CliRunner().invoke(app, ["serve", *options], env={"MESONET_HOME": "named"})
    assert result.exit_code == 0, result.output
    assert calls == [("127.0.0.1", 8000, Path(home), None)]
