"""What every answer says to browsers, and the language of pages."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class SecurityHeaders:
    """A content-security policy without inline code or style, and a permissions policy.

    Pictures may also come from where media is kept: ``MEDIA_URL``, ``DATA_URL`` and
    ``IMAGE_SOURCES``.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._policy = content_security_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the headers to whatever is answered."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self._policy)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        return response


def content_security_policy() -> str:
    """The policy of all pages."""
    hosts = {
        f"{parts.scheme}://{parts.netloc}"
        for parts in map(urlsplit, (settings.MEDIA_URL, settings.DATA_URL))
        if parts.netloc
    }
    images = " ".join(["'self'", "data:", *sorted({*hosts, *settings.IMAGE_SOURCES})])
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src {images}",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class PageLanguage(LocaleMiddleware):
    """Chooses the language of pages; the API speaks English."""

    def process_request(self, request: HttpRequest) -> None:
        """Look at cookie and browser, but for the API.

        A thread keeps the language of its last request, so that it is set each time.
        """
        if request.path.startswith("/api/"):
            translation.activate("en")
        else:
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Name the language of a page."""
        if request.path.startswith("/api/"):
            return response
        return super().process_response(request, response)
