"""The web server: whole requests within deadlines, and no more of them than it can take.

waitress receives requests in one thread and hands them to others when they are complete, chunked
ones too. What is added here are deadlines that a sender of single bytes cannot push away, limits
that depend on the address, and answers that are problem documents.
"""

import json
import logging
import os
import signal
import time
from http import HTTPStatus
from typing import Any, ClassVar, NoReturn
from weakref import WeakSet

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import Error

from mesonet_site.limits import largest_body

SECONDS_TO_STOP = 10
"""How long requests that run may still take when the server is stopped."""

_HEADER_SECONDS = 10
_BODY_SECONDS = 20
_BODY_BYTES_PER_SECOND = 20_000
_IDLE_SECONDS = 15
_CONNECTIONS = 1000
_HEADER_BYTES = 32 << 10
_OTHER_THREADS = 8


class _RefusedError(Error):
    def __init__(self, status: int, body: str) -> None:
        super().__init__(body)
        self.code = status
        self.reason = HTTPStatus(status).phrase


class _Request(HTTPRequestParser):
    """A request while it comes in."""

    error: Error | None

    max_received_bytes: ClassVar[int]
    _receiving: ClassVar[WeakSet["_Request"]] = WeakSet()

    def __init__(self, adjustments: Adjustments) -> None:
        super().__init__(adjustments)
        self._began = time.monotonic()
        self._checked = False
        self._receiving.add(self)

    @property
    def is_late(self) -> bool:
        """Whether it should have been here by now."""
        limit = _HEADER_SECONDS
        if self.headers_finished:
            limit = _BODY_SECONDS + self.body_bytes_received // _BODY_BYTES_PER_SECOND
        return time.monotonic() - self._began > limit

    def received(self, data: bytes) -> int:
        """Take data, and refuse a body that is too large or for which there is no room."""
        consumed: int = super().received(data)
        if self.headers_finished and not self.error:
            if not self._checked or self.chunked:
                self._checked = True
                self.error = self._refusal()
            if self.error:
                self.completed = True
                self.expect_continue = False
        if self.error:
            self._receiving.discard(self)
        return consumed

    def _refusal(self) -> Error | None:
        size, limit = self._size, largest_body(self.path)
        if size > limit:
            return _RefusedError(
                413, f"The request has {size:,} bytes; at most {limit:,} are allowed."
            )
        others = sum(other._size for other in self._receiving if other is not self)
        if size and others and others + size > self.max_received_bytes:
            return _RefusedError(503, "The server is receiving too much at the moment.")
        return None

    @property
    def _size(self) -> int:
        return max(self.content_length, self.body_bytes_received)


class _Problem(ErrorTask):
    """A request that never reaches Django, answered by a problem document."""

    def execute(self) -> None:
        """Write the answer."""
        error = self.request.error
        document = {
            "type": "about:blank",
            "title": error.reason,
            "status": error.code,
            "detail": error.body,
        }
        body = json.dumps(document).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/problem+json"))
        if error.code == HTTPStatus.SERVICE_UNAVAILABLE:
            self.response_headers.append(("Retry-After", "5"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    parser_class = _Request
    error_task_class = _Problem


class _Server(TcpWSGIServer):
    channel_class = _Channel

    def maintenance(self, now: float) -> None:
        """Close connections that are idle, and those whose request is late."""
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            if channel.request is not None and channel.request.is_late:
                channel.will_close = True


def create_server(application: Any, host: str, port: int) -> TcpWSGIServer:
    """A server that listens already, and answers in ``server.run()``.

    Raises:
        OSError: the address cannot be used.
    """
    from django.conf import settings

    _Request.max_received_bytes = settings.MAX_RECEIVED_BYTES
    options: dict[str, Any] = {
        "listen": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "threads": settings.SCORE_AT_ONCE + settings.SCORE_WAITING + _OTHER_THREADS,
        "connection_limit": _CONNECTIONS,
        "asyncore_use_poll": True,
        "asyncore_loop_timeout": 1,
        "cleanup_interval": 1,
        "channel_timeout": _IDLE_SECONDS,
        "max_request_header_size": _HEADER_BYTES,
        "max_request_body_size": 1 << 40,  # every address has its own limit
        "clear_untrusted_proxy_headers": False,  # NUM_PROXIES says whom to believe
        "ident": None,
        "log_socket_errors": False,
    }
    adjustments = Adjustments(**options)
    return _Server(application, adj=adjustments, sockinfo=adjustments.listen[0])


def run(host: str, port: int) -> NoReturn:
    """Answer requests until a signal comes; Django is set up already.

    Raises:
        OSError: the address cannot be used.
    """
    from mesonet_site.wsgi import application

    logging.getLogger("waitress").setLevel(logging.ERROR)
    server = create_server(application, host, port)

    def stop(*_: Any) -> None:
        raise SystemExit

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        server.asyncore.loop(timeout=1, map=server._map, use_poll=True)
    except SystemExit:
        server.close()
        server.task_dispatcher.shutdown(timeout=SECONDS_TO_STOP)
    logging.shutdown()
    os._exit(0)  # a thread that is stuck in a decoder would keep the process
