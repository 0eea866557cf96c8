"""How many requests may score at once: some wait, and those that have no room are sent away."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from mesonet_site.api import conf
from mesonet_site.api.base import ApiView
from mesonet_site.api.problems import Busy


class LimitedConcurrency(ApiView):
    """A view some of whose actions wait for a free slot, before the body is parsed.

    ``SCORE_AT_ONCE`` of them run and ``SCORE_WAITING`` wait, ``SCORE_WAIT_SECONDS`` at most; the
    others are answered by 503. Views of another kind, such as health checks and reading, do not
    wait for them.

    Attributes:
        limited_actions: the actions, or methods where a view has none.
    """

    limited_actions: ClassVar[tuple[str, ...]] = ()

    def dispatch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer, and give the slot back."""
        with ExitStack() as self._slot:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Wait for a slot, once it is clear who asks.

        Raises:
            Busy: too many wait already, or none became free in time.
        """
        super().initial(request, *args, **kwargs)
        if getattr(self, "action", request.method) in self.limited_actions:
            slots = _slots(conf.SCORE_AT_ONCE, conf.SCORE_WAITING)
            self._slot.enter_context(slots.take())


class _Slots:
    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._room = threading.BoundedSemaphore(at_once + waiting)

    @contextmanager
    def take(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise Busy
        try:
            if not self._free.acquire(timeout=conf.SCORE_WAIT_SECONDS):
                raise Busy
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._room.release()


@cache
def _slots(at_once: int, waiting: int) -> _Slots:
    return _Slots(at_once, waiting)
