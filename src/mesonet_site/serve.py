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
from mesonet.errors import InputError
from mesonet_site import parent
from mesonet_site.parent import SECONDS_TO_STOP as _SECONDS_TO_STOP

_SECONDS_TO_START = 90
_SECONDS_OF_A_GOOD_START = 30
_MAX_QUICK_ENDS = 5
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def serve(host: str, port: int, home: Path, data: Path | None, *, worker: bool = True) -> None:
    """Run web server and background worker until interrupted.

    Args:
        host: address to listen on.
        port: port to listen on.
        home: folder of all that the server writes; made if need be.
        data: labelled images, one folder per class, to measure the models on.
        worker: run a background worker, too; see `work`.

    Raises:
        OSError: the address or the database cannot be used, or the home folder not written.
        mesonet.errors.InputError: the settings in the home folder cannot be used.
        ChildProcessError: web server or worker ended again and again.
        mesonet.errors.DataError: ``data`` is not such a folder.
    """
    _check_address(host, port)
    _prepare_environment(home, host, data)
    try:
        password, models = _prepare_database(measure=data is not None)
    except Exception as error:
        from django.core.exceptions import ImproperlyConfigured
        from django.db import Error

        if isinstance(error, Error):
            raise OSError(f"the database in {home} cannot be used: {error}") from None
        if isinstance(error, ImproperlyConfigured):
            raise InputError(home, f"the settings cannot be used: {error}") from None
        raise
    shown = "localhost" if host in _EVERYWHERE else f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    ready_url = f"{url}/api/v1/{'readyz' if models else 'livez'}"
    children = [_Child("web server", web_command(host, port))]
    if worker:
        children.append(_Child("worker", worker_command()))
    _run(children, ready_url, _greeting(url, home, password))


def work(home: Path) -> None:
    """Run a background worker until interrupted, as soon as `serve` has made the database.

    Args:
        home: that of the server, or a folder with the same files.

    Raises:
        OSError: the home folder cannot be written.
        ChildProcessError: the worker ended again and again.
    """
    _prepare_environment(home)
    _wait_for_database()
    _run([_Child("worker", worker_command())], None, "The worker works. Ctrl-C stops it.")


def _wait_for_database() -> None:
    """Wait until the database is there with all its tables."""
    import django

    django.setup()
    from django.db import Error, connection
    from django.db.migrations.executor import MigrationExecutor

    told = False
    while True:
        try:
            executor = MigrationExecutor(connection)
            if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return
        except Error:
            connection.close()
        if not told:
            print("mesonet: waiting for `mesonet serve` to make the database", file=sys.stderr)  # noqa: T201
            told = True
        time.sleep(1)


def web_command(host: str, port: int) -> list[str]:
    """The command that starts the web server: one process, so that models are loaded once."""
    return [
        *(sys.executable, "-m", "mesonet_site", "run_web"),
        *("--host", host, "--port", str(port)),
    ]


def worker_command() -> list[str]:
    """The command that starts a background worker."""
    return [sys.executable, "-m", "mesonet_site", "run_worker", "--verbosity", "0"]


def _check_address(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise OSError(f"cannot listen on {host}:{port}: {reason}") from None


def _prepare_environment(home: Path, host: str = "localhost", data: Path | None = None) -> None:
    home = home.expanduser().resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "static").mkdir(exist_ok=True)
    if not os.environ.get("SECRET_KEY"):
        _make_key(home / ".env")
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


def _make_key(path: Path) -> None:
    """Write a secret key, whole or not at all, where there is none."""
    if path.exists() and path.stat().st_size:
        return
    partial = path.with_name(f"{path.name}.partial")
    try:
        with open(partial, "w", opener=_private) as file:
            file.write(f"SECRET_KEY={secrets.token_urlsafe(50)}\n")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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


class _Child:
    """A process that is started again when it ends, unless it does so at once again and again."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self._command = command
        self._process = parent.start(command)
        self._started = time.monotonic()
        self._quick_ends = 0

    def keep_alive(self) -> None:
        """Start it again where it has ended, a while later if it lived for a short time only.

        Raises:
            ChildProcessError: it has ended soon after its start too often.
        """
        if self._process.poll() is None:
            return
        lived = time.monotonic() - self._started
        pause = 2**self._quick_ends
        if lived > _SECONDS_OF_A_GOOD_START + pause:
            self._quick_ends = pause = 0
        if self._quick_ends >= _MAX_QUICK_ENDS:
            raise ChildProcessError(f"the {self.name} ends again and again, see above")
        if lived >= pause:
            self._quick_ends += 1
            self._process = parent.start(self._command)
            self._started = time.monotonic()

    def end(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def wait(self) -> None:
        """Wait until it has ended, and make it end where it takes too long."""
        try:
            self._process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()  # what it was doing is done again at the next start
            self._process.wait()


def _run(children: list[_Child], ready_url: str | None, greeting: str) -> None:
    """Keep processes alive until a signal comes, and say so when the address answers.

    Raises:
        ChildProcessError: one of them cannot be kept alive.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    warn_at = time.monotonic() + _SECONDS_TO_START
    greeted = False
    try:
        while not stop.wait(0.3):
            for child in children:
                child.keep_alive()
            if greeted:
                continue
            if ready_url is None or _answers(ready_url):
                print(greeting, flush=True)  # noqa: T201
                greeted = True
            elif time.monotonic() > warn_at:
                print(f"mesonet: not ready yet: {ready_url} says why", file=sys.stderr)  # noqa: T201
                warn_at = float("inf")
    finally:
        for child in children:
            child.end()
        for child in children:
            child.wait()


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
