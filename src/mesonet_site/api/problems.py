"""Every error as a problem document (RFC 9457)."""

import errno
import logging
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from mesonet.errors import ModelFileError
from mesonet_site.api import conf

CONTENT_TYPE = "application/problem+json"

logger = logging.getLogger(__name__)


class Conflict(exceptions.APIException):
    """What is asked for cannot be done in the present state."""

    status_code = 409
    default_code = "conflict"


class TooLarge(exceptions.APIException):
    """The request is larger than the server takes."""

    status_code = 413
    default_code = "too_large"


class NoRoom(exceptions.APIException):
    """The disk is full."""

    status_code = 507
    default_code = "no_room"
    default_detail = "The server has no room left to store anything."
    wait = 60


class Busy(exceptions.APIException):
    """The server has too much to do at the moment."""

    status_code = 503
    default_code = "busy"
    default_detail = "The server has too much to do at the moment; try again in a few seconds."

    def __init__(self, detail: str | None = None, wait: int = 5) -> None:
        super().__init__(detail)
        self.wait = wait


def problem(status: int, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """A problem document.

    Args:
        status: HTTP status.
        detail: one sentence for people.
        errors: what is wrong with parts of the request: ``pointer`` and ``detail`` of each.
    """
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        document["errors"] = errors
    return document


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler."""
    if isinstance(error, RequestDataTooBig | TooManyFilesSent | TooManyFieldsSent):
        error = TooLarge(_too_much(error))
    elif passing := trouble(error):
        logger.error("%s", error)
        error = passing
    elif isinstance(error, IntegrityError):  # two requests at the same moment
        error = Conflict("It exists already.")
    elif isinstance(error, ModelFileError):  # such as an encoder that was removed
        error = Conflict(f"The model cannot be used: it {error.reason}.")
    elif isinstance(error, SuspiciousOperation):
        error = exceptions.ParseError("The request is malformed.")
    response = exception_handler(error, context)
    if response is None:
        return None
    errors: list[dict[str, str]] = []
    if isinstance(error, exceptions.ValidationError):
        errors = list(_entries(error.detail))
        detail = errors[0]["detail"] if len(errors) == 1 else "The request is not valid."
    elif isinstance(error, exceptions.APIException):
        detail = str(error.detail)
    else:
        detail = response.data.get("detail", "")
    response.data = problem(response.status_code, str(detail), errors)
    response.content_type = CONTENT_TYPE
    return response


def _too_much(error: Exception) -> str:
    if isinstance(error, TooManyFilesSent):
        limit = min(conf.MAX_IMAGES, settings.DATA_UPLOAD_MAX_NUMBER_FILES)
        return f"At most {limit} files can be sent at a time."
    if isinstance(error, TooManyFieldsSent):
        return "The form has too many fields."
    return "The form's fields are too large."


def trouble(error: BaseException | None) -> NoRoom | Busy | None:
    """What a full disk, or a database that cannot be used, means for a client: come again later."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoRoom()
    if isinstance(error, OperationalError | InterfaceError):
        full = "full" in str(error) or "No space" in str(error)
        return NoRoom() if full else Busy("The database cannot be used at the moment.")
    return None


def _entries(detail: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            below = pointer if key == "non_field_errors" else f"{pointer}/{key}"
            yield from _entries(value, below)
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from _entries(value, f"{pointer}/{index}" if nested else pointer)
    else:
        yield {"pointer": f"#{pointer}", "detail": str(detail)}


def _of_the_api(status: int, detail: str, request: HttpRequest) -> HttpResponse | None:
    if not request.path.startswith("/api/"):
        return None
    return JsonResponse(problem(status, detail), status=status, content_type=CONTENT_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler400``."""
    detail = "The request is malformed."
    return _of_the_api(400, detail, request) or defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler404``."""
    detail = "There is nothing at this address."
    return _of_the_api(404, detail, request) or defaults.page_not_found(request, exception)


def failure() -> HttpResponse:
    """The API's answer to the exception that is being handled, of which no view knows."""
    if passing := trouble(sys.exc_info()[1]):
        return JsonResponse(
            problem(passing.status_code, str(passing.detail)),
            status=passing.status_code,
            content_type=CONTENT_TYPE,
            headers={"Retry-After": str(passing.wait)},
        )
    detail = "The server failed; its log has the reason under this request's id."
    return JsonResponse(problem(500, detail), status=500, content_type=CONTENT_TYPE)
