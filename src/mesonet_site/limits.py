"""Refusing what is too large before it is read, and what cannot be done before it is begun."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from mesonet_site.api.problems import CONTENT_TYPE, problem


def largest_body(path: str) -> int:
    """Most bytes of a request.

    ``MAX_REQUEST_BYTES`` holds for all addresses; those at which staff upload a model may have
    ``MAX_MODEL_BYTES`` more.
    """
    limit: int = settings.MAX_REQUEST_BYTES
    if path.startswith(("/admin/classifiers/", "/api/v1/models", "/staff/")):
        limit += settings.CLASSIFIERS_MAX_MODEL_BYTES
    return limit


class RequestSizeLimit:
    """Answers 413 to a request whose body is larger than the server takes.

    It stands behind those that give a page its language, user and form tokens, none of which
    reads the body, and before the views, which do.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look at the length that the request states."""
        limit = largest_body(request.path)
        try:
            length = int(request.headers.get("Content-Length") or 0)
        except ValueError:
            length = 0
        if length <= limit:
            return self.get_response(request)
        response = _refusal(request, length, limit)
        response["Connection"] = "close"
        return response


def _refusal(request: HttpRequest, length: int, limit: int) -> HttpResponse:
    if not request.path.startswith("/api/"):
        return render(request, "413.html", {"length": length, "limit": limit}, status=413)
    return JsonResponse(
        problem(413, f"The request has {length:,} bytes; at most {limit:,} are allowed."),
        status=413,
        content_type=CONTENT_TYPE,
    )
