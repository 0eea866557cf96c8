"""`mesonet_site.serve`: everything on a fresh machine."""

import errno
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.migrations.executor import MigrationExecutor
from tests.integration.server.helpers import wait_until
from typer.testing import CliRunner

from mesonet.cli import app
from mesonet.errors import DataError
from mesonet_site import serve as serve_module
from mesonet_site.serve import serve

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_is_enough]

PROGRAM = """
import sys
from pathlib import Path
from mesonet_site import serve as serve_module
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
    assert started[0].wait(300) == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]

    started.append(start(port, home))
    assert "password" not in greeting(started[1])
    assert (home / ".env").read_text() == key

    pid = started[1].pid  # killed, it leaves nothing behind
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == 2

    started[1].kill()
    wait_until(lambda: not any(map(runs, children)))
    serve_module._check_address("127.0.0.1", port)


def runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_key_that_was_never_written_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").touch()
    serve_module._make_key(tmp_path / ".env")
    key = (tmp_path / ".env").read_text()
    assert key.startswith("SECRET_KEY=")
    serve_module._make_key(tmp_path / ".env")
    assert (tmp_path / ".env").read_text() == key

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / ".env").unlink()
    monkeypatch.setattr(secrets, "token_urlsafe", full)
    with pytest.raises(OSError, match="No space left"):
        serve_module._make_key(tmp_path / ".env")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("files", "code", "message"),
    [
        ({"mesonet.sqlite3": "no database" * 1000}, 4, "cannot be used: file is not a database"),
        ({".env": "DEBUG=0\n"}, 1, "the settings cannot be used: SECRET_KEY is not set"),
        ({"static": "a file"}, 4, "static: File exists"),
    ],
)
def test_a_damaged_home_is_one_line(
    tmp_path: Path, port: int, files: dict[str, str], code: int, message: str
) -> None:
    for name, text in ({".env": "SECRET_KEY=only for tests\n"} | files).items():
        (tmp_path / name).write_text(text)
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    command = [sys.executable, "-c", "from mesonet.cli import main; main()", "serve"]
    command += ["--port", str(port), "--home", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == code
    assert done.stdout == ""
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


PREPARE = """
import resource, sys
from pathlib import Path
from mesonet_site import serve
home = Path(sys.argv[1])
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
serve._prepare_environment(home)
serve._prepare_database(measure=False)
"""


def test_a_first_start_on_a_full_disk_is_made_good_by_the_next(tmp_path: Path) -> None:
    """No file may be larger than 3 MB: the database is made, but not the file of `standard`."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS}

    def prepare(limit: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", PREPARE, str(tmp_path), str(limit)]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    assert "File too large" in prepare(3_000_000).stderr
    folder = tmp_path / "ml_models" / "trained_models"
    assert list(folder.iterdir()) == []
    again = prepare(-1)
    assert again.returncode == 0, again.stderr
    assert {"standard.keras", "meso4.keras"} <= {path.name for path in folder.iterdir()}
    with sqlite3.connect(tmp_path / "mesonet.sqlite3") as database:
        stored = [
            file for (file,) in database.execute("select model_file from classifiers_mlmodel")
        ]
    assert sorted(stored) == sorted(f"trained_models/{path.name}" for path in folder.iterdir())


STUCK = """
import sys, time
from mesonet_site import web, wsgi
web.SECONDS_TO_STOP = 1

def stuck(environ, start_response):
    print("decoding", flush=True)
    time.sleep(600)

wsgi.application = stuck
web.run("127.0.0.1", int(sys.argv[1]))
"""


def test_a_stuck_decoder_does_not_keep_the_web_server(
    home: Path, port: int, started: list[subprocess.Popen[str]]
) -> None:
    command = [sys.executable, "-c", STUCK, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    started.append(process)
    client = socket.socket()
    wait_until(lambda: client.connect_ex(("127.0.0.1", port)) == 0)
    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert process.stdout is not None
    assert process.stdout.readline() == "decoding\n"
    process.terminate()
    assert process.wait(300) == 0
    client.close()


def test_what_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_module, "_SECONDS_TO_STOP", 0.2)
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    child = serve_module._Child("worker", [sys.executable, "-c", program])
    child.end()
    child.wait()
    assert child._process.poll() is not None


def test_what_ends_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(serve_module.time, "monotonic", lambda: clock[0])
    starts: list[float] = []

    class Ended:
        def poll(self) -> int:
            return 1

    monkeypatch.setattr(serve_module.parent, "start", lambda _: starts.append(clock[0]) or Ended())
    child = serve_module._Child("worker", ["worker"])
    with pytest.raises(ChildProcessError, match="the worker ends again and again"):
        while True:
            clock[0] += 0.5
            child.keep_alive()
    assert starts == [0, 1, 3, 7, 15, 31]


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


@pytest.mark.parametrize(
    ("options", "home", "worker"),
    [((), "named", True), (("--home", "other"), "other", True), (("--no-worker",), "named", False)],
)
def test_the_home_folder_is_named_by_the_environment_or_the_option(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], home: str, worker: bool
) -> None:
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        "mesonet_site.serve.serve", lambda *given, worker: calls.append((*given, worker))
    )
    result = CliRunner().invoke(app, ["serve", *options], env={"MESONET_HOME": "named"})
    assert result.exit_code == 0, result.output
    assert calls == [("127.0.0.1", 8000, Path(home), None, worker)]


def test_a_worker_waits_for_the_database_and_runs(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr("django.setup", lambda: None)  # it would close absl's handler of stderr
    plans = iter([["a migration"], []])
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: next(plans))
    monkeypatch.setattr(serve_module.time, "sleep", lambda _: None)
    commands: list[list[str]] = []
    monkeypatch.setattr(serve_module.parent, "start", commands.append)
    said: list[str] = []
    monkeypatch.setattr(serve_module, "_run", lambda children, url, text: said.append(text))
    result = CliRunner().invoke(app, ["worker", "--home", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "waiting for `mesonet serve`" in result.output
    assert said == ["The worker works. Ctrl-C stops it."]
    assert [command[1:4] for command in commands] == [["-m", "mesonet_site", "run_worker"]]
