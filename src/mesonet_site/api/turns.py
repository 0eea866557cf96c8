"""Letting requests that score wait for each other, and sending those away that have no room."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, ClassVar

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mesonet_site.api.problems import Busy


class TakesTurns(APIView):
    """A view some of whose actions wait for their turn, before the body is parsed.

    ``SCORE_AT_ONCE`` of them run and ``SCORE_WAITING`` wait, ``SCORE_WAIT_SECONDS`` at most; the
    others are answered by 503. Views of another kind, such as health checks and reading, do not
    wait for them.

    Attributes:
        turns: the actions, or methods where a view has none.
    """

    turns: ClassVar[tuple[str, ...]] = ()

    def dispatch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer, and give the turn back."""
        with ExitStack() as self._turn:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Wait for a turn, once it is clear who asks.

        Raises:
            Busy: too many wait already, or the turn did not come in time.
        """
        super().initial(request, *args, **kwargs)
        if getattr(self, "action", request.method) in self.turns:
            self._turn.enter_context(_queue(settings.SCORE_AT_ONCE, settings.SCORE_WAITING).turn())


class _Queue:
    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._room = threading.BoundedSemaphore(at_once + waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise Busy
        try:
            if not self._free.acquire(timeout=settings.SCORE_WAIT_SECONDS):
                raise Busy
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._room.release()


@cache
def _queue(at_once: int, waiting: int) -> _Queue:
    return _Queue(at_once, waiting)
