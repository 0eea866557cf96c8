"""Requests that were changed at random, through the parser and the application of the server."""

import io
import logging
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import hostile_images as hostile

SECONDS = 10.0
"""How much processor time one request may take."""

_REFUSALS = (503, 507)
_NOT_IMPLEMENTED = 501  # another transfer coding than chunked, RFC 9112, section 6.1
_MAX_RETURNED = 64 << 10


def multipart(path: str, *parts: bytes, head: str = "") -> bytes:
    body = b"".join(b"--frontier\r\n" + part + b"\r\n" for part in parts) + b"--frontier--\r\n"
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{head}"
        "Content-Type: multipart/form-data; boundary=frontier\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def field(name: str, value: str) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()


def file(name: str, data: bytes, filename: str = "face.png") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return f"{disposition}\r\nContent-Type: image/png\r\n\r\n".encode() + data


def good() -> list[bytes]:
    """Requests of every kind."""
    face = hostile.encode(hostile.noise(40, 40), "PNG")
    model = "00000000-0000-0000-0000-000000000000"
    paths = [
        *("/", "/models/", "/api-guide/", "/sign-in/", "/api/v1/models?limit=2", "/api/v1/livez"),
        *(
            "/api/v1/detections",
            "/api/dataset-size/",
            "/api/available-models/",
            "/media/data/x.png",
        ),
        *(f"/api/predictions/{model}/3/0,2/", f"/api/v1/models/{model}", "/api/schema/"),
        *(f"/models/{model}/explore/?images=2&layers=1", f"/api/v1/detections/{model}/cancel"),
    ]
    gets = [f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths]
    token, cookie = "a" * 32, f"Cookie: csrftoken={'a' * 32}\r\n"
    chunked = (
        b"POST /api/v1/detections HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n5\r\n--b--\r\n0\r\n\r\n"
    )
    return [
        *gets,
        chunked,
        multipart("/api/v1/detections", file("image", face), field("faces", "whole")),
        multipart(
            "/api/v1/detections",
            *(file("image", face, name) for name in ("a.png", "b.png")),
            *(field("layers", "0"), field("threshold", "0.7"), field("model", "standard")),
            *(field("faces", "whole"),),
        ),
        multipart("/api/v1/models", field("name", "x"), head="Authorization: Token x\r\n"),
        multipart("/", file("image", face), field("csrfmiddlewaretoken", token), head=cookie),
    ]


def mutated(count: int, draw: random.Random) -> Iterator[bytes]:
    """Good requests with some bytes changed, left out or repeated, or lines exchanged."""
    requests = good()
    for _ in range(count):
        data = bytearray(draw.choice(requests))
        for _ in range(draw.choice((1, 1, 2, 5))):
            start = draw.randrange(len(data))
            match draw.randrange(4):
                case 0:
                    data[start] = draw.randrange(256)
                case 1:
                    del data[start : start + draw.randrange(1, 20)]
                case 2:
                    data[start:start] = data[start : start + draw.randrange(1, 80)]
                case _:
                    other = draw.choice(requests).split(b"\r\n\r\n")[0]
                    data[start:start] = draw.choice(other.split(b"\r\n")) + b"\r\n"
            data = data or bytearray(b"G")
        yield bytes(data)


def fault(answer: bytes) -> str | None:
    """What is wrong with an answer; None where it is none of the server's faults."""
    status = int(answer.split(b" ", 2)[1])
    if status >= 500 and status not in (*_REFUSALS, _NOT_IMPLEMENTED):
        return f"answered by {status}"
    if status in _REFUSALS and b"\r\nRetry-After: " not in answer:
        return f"{status} without Retry-After"
    return None


class Site:
    """The whole server but its sockets, on a folder and a database of its own."""

    def __init__(self, folder: Path) -> None:
        home = Path(tempfile.mkdtemp(dir=folder, prefix="home-"))
        (home / "static").mkdir()
        os.environ.update(
            DJANGO_SETTINGS_MODULE="mesonet_site.settings",
            MESONET_HOME=str(home),
            SECRET_KEY="only for tests " * 4,
            ALLOWED_HOSTS="*",
            **{f"THROTTLE_{name}": "" for name in ("ANONYMOUS", "ANONYMOUS_DETECTION", "USER")},
        )
        import django

        django.setup()
        logging.disable()
        from django.core.management import call_command
        from django_tasks_db.models import DBTaskResult

        from classifiers.models import MLModel
        from mesonet.weights import list_released
        from mesonet_site import web
        from mesonet_site.wsgi import application

        call_command("migrate", verbosity=0)
        call_command("register_released", verbosity=0, stdout=io.StringIO())
        for released in list_released():
            MLModel.objects.filter(model_name=released.name).update(
                conv_layers=[[8, [3, 3]]] * 4, info=released.info.to_dict(), state="done"
            )
        DBTaskResult.objects.all().delete()  # nothing has to be measured
        self.home = home
        self.server = web.create_server(application, "127.0.0.1", 0)
        self._web = web

    def listen(self) -> int:
        """Answer on sockets, too, and tell the port."""
        threading.Thread(target=self.server.run, daemon=True).start()
        return int(self.server.effective_port)

    def answer(self, data: bytes) -> tuple[int, bytes] | None:
        """Status and answer; None where the request never comes to an end."""
        from waitress.task import WSGITask

        request: Any = self._web._Request(self.server.adj)
        while data and not request.completed:
            consumed = request.received(data)
            data = data[consumed:] if consumed else b""
        if not request.completed:
            return None
        channel = _Sink(self.server)
        kind: Any = self._web._Problem if request.error else WSGITask
        try:
            kind(channel, request).service()
        finally:
            request.close()
        answer = bytes(channel.written)
        return int(answer.split(b" ", 2)[1]), answer

    def hold(self, data: bytes) -> str | None:
        """What is wrong with how a request was answered; None where all is well."""
        started = time.process_time()
        try:
            answered = self.answer(data)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            return f"{type(error).__name__}: {error}"
        if answered and (wrong := fault(answered[1])):
            return wrong
        seconds = time.process_time() - started
        return f"took {seconds:.1f} s" if seconds > SECONDS else None


class _Sink:
    """Takes the place of a connection."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.addr = ("127.0.0.1", 1)
        self.creation_time = 0
        self.written = bytearray()

    def write_soon(self, data: Any) -> int:
        if not isinstance(data, bytes | bytearray | memoryview):
            data = data.get(_MAX_RETURNED)
        self.written += bytes(data[:_MAX_RETURNED])
        return len(data)

    def check_client_disconnected(self) -> bool:
        return False
