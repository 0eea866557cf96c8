"""Log lines as JSON objects, each with the id of the request it belongs to."""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")

logger = logging.getLogger("mesonet_site.access")


class JSONFormatter(logging.Formatter):
    """One JSON object a line; what a logger gets as ``extra={"fields": {...}}`` is part of it.

    Requests that Django refuses as suspicious are told without a traceback, which leads nowhere.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as JSON."""
        entry = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            entry["request_id"] = current
        entry |= getattr(record, "fields", {})
        if record.exc_info and not record.name.startswith("django.security."):
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class OnlyExceptions(logging.Filter):
    """Passes errors with a traceback; the outcome of a request is in `RequestLog`'s line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether there is a traceback."""
        return bool(record.exc_info)


class RequestLog:
    """Gives each request an id, its own ``X-Request-ID`` if well-formed, and logs its outcome."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request and log it."""
        given = request.headers.get("X-Request-ID", "")
        current = given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(current)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = current
            fields = {
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "milliseconds": round(1000 * (time.perf_counter() - started), 1),
            }
            logger.info("request", extra={"fields": fields})
            return response
        finally:
            request_id.reset(token)
