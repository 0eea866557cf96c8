"""Starting the server with everything it needs on a fresh machine."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from mesonet.datasets.class_folders import ClassFolders
from mesonet.parallel import cores

_SECONDS_TO_START = 90
_SECONDS_TO_STOP = 10
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def serve(host: str, port: int, home: Path, data: Path | None) -> None:
    """Run web server and background worker until interrupted.

    Args:
        host: address to listen on.
        port: port to listen on.
        home: folder of all that the server writes; made if need be.
        data: labelled images, one folder per class, to measure the models on.

    Raises:
        OSError: the address cannot be used, or the home folder not written.
        mesonet.errors.DataError: ``data`` is not such a folder.
    """
    _check_address(host, port)
    _prepare_environment(host, home, data)
    password, models = _prepare_database(measure=data is not None)
    shown = "localhost" if host in _EVERYWHERE else f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    worker = [sys.executable, "-m", "mesonet_site", "run_worker", "--verbosity", "0"]
    ready_url = f"{url}/api/v1/{'readyz' if models else 'livez'}"
    _run(web_command(host, port), worker, ready_url, _greeting(url, home, password))


def web_command(host: str, port: int) -> list[str]:
    """The command that starts the web server: one process, so that models are loaded once."""
    return [
        *(sys.executable, "-m", "gunicorn", "mesonet_site.wsgi"),
        *("--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"),
        *("--threads", str(4 * cores()), "--timeout", "120", "--no-control-socket"),
        *("--graceful-timeout", str(_SECONDS_TO_STOP), "--log-level", "warning"),
    ]


def _check_address(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise OSError(f"cannot listen on {host}:{port}: {reason}") from None


def _prepare_environment(host: str, home: Path, data: Path | None) -> None:
    home = home.expanduser().resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "static").mkdir(exist_ok=True)
    try:
        with open(home / ".env", "x", opener=_private) as file:
            file.write(f"SECRET_KEY={secrets.token_urlsafe(50)}\n")
    except FileExistsError:
        pass
    os.environ["MESONET_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "mesonet_site.settings"
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    if host in _EVERYWHERE:
        os.environ.setdefault("ALLOWED_HOSTS", "*")
    else:
        os.environ.setdefault("ALLOWED_HOSTS", f"{host},localhost,127.0.0.1,[::1]")
    if data is not None:
        ClassFolders.read(data)
        os.environ["DATA_ROOT"] = str(data.resolve())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _prepare_database(*, measure: bool) -> tuple[str | None, int]:
    """Create or update the database.

    Returns:
        The password of the administrator if there was none, and the number of models.
    """
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connections

    from classifiers.models import MLModel

    call_command("migrate", verbosity=0)
    call_command("register_released", verbosity=0)
    if measure:
        for model in MLModel.objects.filter(state=MLModel.State.DONE, accuracy=None):
            model.measure()
    password = None
    if not User.objects.filter(is_superuser=True).exists():
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser("admin", password=password)
    models = MLModel.objects.count()
    connections.close_all()
    return password, models


def _run(web_command: list[str], worker_command: list[str], ready_url: str, greeting: str) -> None:
    """Run both processes until a signal comes; a worker that dies is started again.

    Raises:
        ChildProcessError: the web server ended by itself.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    web, worker = _start(web_command), _start(worker_command)
    ready_before = time.monotonic() + _SECONDS_TO_START
    greeted = False
    try:
        while not stop.wait(0.3):
            if web.poll() is not None:
                raise ChildProcessError("the web server ended unexpectedly, see above")
            if worker.poll() is not None:
                worker = _start(worker_command)
            if not greeted and (_answers(ready_url) or time.monotonic() > ready_before):
                print(greeting, flush=True)  # noqa: T201
                greeted = True
    finally:
        for process in (web, worker):
            process.terminate()
        for process in (web, worker):
            try:
                process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()  # what it was doing is done again at the next start
                process.wait()


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a process that an interrupt from the keyboard does not reach."""
    return subprocess.Popen(command, start_new_session=True)  # noqa: S603


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310
            return True
    except OSError:
        return False


def _greeting(url: str, home: Path, password: str | None) -> str:
    lines = [
        f"MesoNet is ready at {url}",
        "",
        f"  score an image   curl -F image=@face.jpg {url}/api/v1/detections",
        f"  try the API      {url}/api/docs/",
        f"  upload a model   {url}/admin/",
    ]
    if password:
        lines.append(f"  log in as        admin, password {password} (shown only now)")
    lines += [f"  all its files    {home}", "", "Ctrl-C stops it."]
    return "\n".join(lines)
