"""Clients that keep to no rule, against the server's own sockets."""

import http.client
import random
import socket
from collections.abc import Iterator
from contextlib import suppress

from tests.fire import web

SLOW = 100
"""So many senders of half a header stay connected all the while."""

_SECONDS = 20
"""How long others may wait for an answer."""

_POST = b"POST /api/v1/detections HTTP/1.1\r\nHost: localhost\r\n"
_FORM = b"Content-Type: multipart/form-data; boundary=b\r\n"
_PART = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'


def scripts() -> list[list[bytes]]:
    """What each client sends, piece by piece, before it leaves."""
    lengths = (b"-1", b"0x10", b"1e3", b"99999999999999999999", b"5, 6", b"", b"200000000")
    heads = [_POST + _FORM + b"Content-Length: " + length + b"\r\n\r\n" for length in lengths]
    chunked = _POST + _FORM + b"Transfer-Encoding: chunked\r\n\r\n"
    sizes = (
        b"zz\r\n",
        b"-5\r\n",
        b"ffffffffffffffff\r\n",
        b"5\r\nabcdefgh\r\n",
        b"5;" + b"x" * 9000,
    )
    bodies = (
        *(_PART, _PART + b"\x89PNG", b"--b", b"--b--", b"", b"--b\r\n" * 3000),
        *(_PART.replace(b"a.png", b"../../etc/passwd"), _PART.replace(b"a.png", b"\0" * 300)),
        *(_PART.replace(b"image", b"x" * 5000), b"--b\r\n" + b"X: y\r\n" * 3000),
    )
    return [
        *([head, _PART, b"\x89PNG"] for head in heads),
        *([chunked, size, b"0\r\n\r\n"] for size in sizes),
        *([_sized(body)] for body in bodies),
        *([_sized(body + b"\r\n--b--\r\n")] for body in bodies),
        *([_sized(body)[:-10], b"x"] for body in bodies),
        [b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"],
        [b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n"],
        [b"GET /" + b"a" * 500_000 + b" HTTP/1.1\r\n\r\n"],
        [b"GET /%00%ff%2e%2e/ HTTP/1.1\r\nHost: localhost\r\n\r\n"],
        [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200],
        [b"GET / HTTP/9.9\r\n\r\n", b"GET http://[::1/ HTTP/1.1\r\n\r\n"],
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
        [_POST + b"Expect: 100-continue\r\nContent-Length: 50\r\n\r\n"],
        [_POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1"],
        [b"\0" * 10_000],
        [],
    ]


def _sized(body: bytes) -> bytes:
    return _POST + _FORM + b"Content-Length: %d\r\n\r\n" % len(body) + body


def hostile(count: int, draw: random.Random) -> Iterator[list[bytes]]:
    """Every script once, then cut, torn and mixed ones, until there are so many."""
    known = scripts()
    yield from known[:count]
    for _ in range(count - len(known)):
        data = b"".join(draw.choice(known))[: draw.choice((100, 1_000, 20_000))]
        data = data[: draw.randrange(len(data) + 1)] + b"".join(draw.choice(known))[:2_000]
        cuts = sorted(draw.randrange(len(data) + 1) for _ in range(draw.randrange(4)))
        yield [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


class Clients:
    """Tries scripts, with slow senders beside them."""

    def __init__(self, site: web.Site) -> None:
        self._port = site.listen()
        self._slow = [self._connect() for _ in range(SLOW)]
        for connection in self._slow:
            connection.sendall(b"GET /api/v1/livez HTTP/1.1\r\nHo")

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), timeout=_SECONDS)

    def hold(self, script: list[bytes]) -> str | None:
        """What is wrong with how a client was served, or others after it; None if nothing."""
        answer = b""
        with suppress(OSError), self._connect() as connection:
            for data in script:
                connection.sendall(data)
            connection.settimeout(0.05)
            answer = connection.recv(65536)
        if answer.startswith(b"HTTP/1.") and b"\r\n\r\n" in answer and (wrong := web.fault(answer)):
            return wrong
        try:
            other = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
            other.request("GET", "/api/v1/livez")
            status = other.getresponse().status
            other.close()
        except OSError as error:
            return f"then nobody else was answered: {error}"
        return None if status == 200 else f"then another one was answered by {status}"
