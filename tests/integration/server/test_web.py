"""The web server itself, with an application that tells what has reached it."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.integration.server.helpers import wait_until

from mesonet_site import web

pytestmark = pytest.mark.sqlite_is_enough


class Running:
    def __init__(self, application: Callable[..., Any]) -> None:
        self.server = web.create_server(application, "127.0.0.1", 0)
        self.port = int(self.server.effective_port)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def get(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/api/v1/livez")
        return connection.getresponse().status


@pytest.fixture
def received() -> list[bytes]:
    return []


@pytest.fixture
def running(received: list[bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(web, "_HEADER_SECONDS", 2)
    monkeypatch.setattr(web, "_BODY_SECONDS", 3)

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        received.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start_response("200 OK", [])
        return [b"ok"]

    running = Running(application)
    yield running
    running.server.task_dispatcher.shutdown()
    running.server.close()


def closed(connection: socket.socket) -> bool:
    """Whether the server has closed a connection without an answer."""
    connection.settimeout(0.05)
    try:
        return connection.recv(100) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_slow_senders_keep_nobody_from_being_answered(running: Running) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(running.connect()) for _ in range(150)]
        for connection in slow:
            connection.sendall(b"POST /api/v1/detections HTTP/1.1\r\nHost: loc")
        assert running.get() == 200
        wait_until(lambda: all(map(closed, slow[::30])))


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\nX-", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n"]
)
def test_single_bytes_do_not_push_the_deadline_away(
    running: Running, received: list[bytes], head: bytes
) -> None:
    with running.connect() as slow:
        slow.sendall(head)
        limit = time.monotonic() + 120
        while not closed(slow):
            assert time.monotonic() < limit, "it was not closed"
            try:
                slow.sendall(b"a")
            except OSError:
                break
            time.sleep(0.2)
    assert received == []


def test_an_upload_that_breaks_off_reaches_nobody(running: Running, received: list[bytes]) -> None:
    with running.connect() as broken:
        broken.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n" + bytes(8000))
    assert running.get() == 200
    assert received == [b""]


def test_a_chunked_upload_arrives_whole(running: Running, received: list[bytes]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    connection.request("POST", "/", iter([b"first ", b"second"]), encode_chunked=True)
    assert connection.getresponse().status == 200
    assert received == [b"first second"]


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large_a_body_is_refused_while_it_comes(
    running: Running, settings: Any, chunked: bool
) -> None:
    settings.MAX_REQUEST_BYTES = 1000
    with running.connect() as sender:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        if chunked:
            sender.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + bytes(2000))
        else:
            sender.sendall(head + b"Content-Length: 200000000\r\n\r\n")
        answer = http.client.HTTPResponse(sender)
        answer.begin()
        assert answer.status == 413
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "at most 1,000 are allowed" in json.load(answer)["detail"]


def test_there_is_a_ceiling_for_all_that_comes_in(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web._Request, "max_received_bytes", 50_000)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n"
    with running.connect() as first, running.connect() as second:
        first.sendall(head)
        assert running.get() == 200
        monkeypatch.setattr(web._Request, "max_received_bytes", 20_000)
        assert running.get() == 200  # as it has no body
        second.sendall(head)
        answer = http.client.HTTPResponse(second)
        answer.begin()
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"
        first.sendall(bytes(30_000))
        answer = http.client.HTTPResponse(first)
        answer.begin()
        assert answer.status == 200


def test_a_malformed_request_is_answered_by_a_problem(running: Running) -> None:
    with running.connect() as sender:
        sender.sendall(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n")
        answer = http.client.HTTPResponse(sender)
        answer.begin()
        assert answer.status == 400
        assert json.load(answer)["title"] == "Bad Request"
