"""What all views of the API have in common, whatever project they stand in."""

from collections.abc import Callable, Sequence
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from mesonet_site.api import conf
from mesonet_site.api.permissions import StaffOrReadOnly
from mesonet_site.api.problems import TooLarge, handle
from mesonet_site.api.throttling import AnonymousThrottle, UserThrottle


class ApiView(APIView):
    """Answers in JSON and with problem documents, within the limits of the settings.

    Who somebody is, the project says by its ``DEFAULT_AUTHENTICATION_CLASSES``.
    """

    permission_classes: Sequence[type] = (StaffOrReadOnly,)
    throttle_classes: Sequence[type] = (AnonymousThrottle, UserThrottle)
    renderer_classes = (JSONRenderer,)

    @property
    def max_request_bytes(self) -> int:
        """Most bytes of a request."""
        return int(conf.MAX_REQUEST_BYTES)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what is too large unread, once it is clear who asks.

        Raises:
            TooLarge: the request states a length above the limit.
        """
        super().initial(request, *args, **kwargs)
        length = str(request.META.get("CONTENT_LENGTH") or 0)
        limit = self.max_request_bytes
        if length.isdecimal() and int(length) > limit:
            raise TooLarge(f"The request has {int(length):,} bytes; at most {limit:,} are allowed.")

    def get_exception_handler(self) -> Callable[..., Any]:
        """Problem documents."""
        return handle
