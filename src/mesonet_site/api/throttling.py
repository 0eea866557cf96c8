"""How often somebody may ask, detect, or be wrong."""

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from django.http import HttpRequest
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle, UserRateThrottle

from mesonet_site.api import conf

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)


def address(request: HttpRequest) -> str | None:
    """Where a request comes from, by ``NUM_PROXIES``, as throttling has it; None if nowhere."""
    ident = AnonRateThrottle().get_ident(request)
    return str(ident) if ident else None


class _Rate:
    """The rate of a throttle is a setting, and none where that is empty."""

    setting: ClassVar[str]

    def get_rate(self) -> str | None:
        """Such as ``"60/min"``."""
        return getattr(conf, self.setting) or None


class AnonymousThrottle(_Rate, AnonRateThrottle):
    """Limits the requests of those who are not logged in, by address."""

    setting = "THROTTLE_ANONYMOUS"


class UserThrottle(_Rate, UserRateThrottle):
    """Limits the requests of a user."""

    setting = "THROTTLE_USER"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """Leave those who are not logged in to `AnonRateThrottle`."""
        return super().get_cache_key(request, view) if request.user.is_authenticated else None


class _WrongTokenThrottle(_Rate, SimpleRateThrottle):
    """Counts the wrong tokens of an address."""

    setting = "THROTTLE_WRONG_TOKENS"
    scope = "wrong_tokens"

    def get_cache_key(self, request: Request, _: Any) -> str:
        """The address."""
        return str(self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)})

    def tried_too_often(self, request: Request) -> bool:
        """Whether the limit is reached; counts nothing."""
        if self.rate is None:
            return False
        self.key, self.now = self.get_cache_key(request, None), self.timer()
        begin = self.now - self.duration
        self.history = [time for time in self.cache.get(self.key, []) if time > begin]
        return len(self.history) >= self.num_requests


class ThrottledTokens(TokenAuthentication):
    """Tokens, which an address may not guess: too many wrong ones, and none is looked at."""

    def authenticate(self, request: Request) -> Any:
        """Look a token up.

        Raises:
            Throttled: the address has sent too many wrong tokens.
            AuthenticationFailed: the token is wrong.
        """
        if not request.headers.get("Authorization"):
            return None
        throttle = _WrongTokenThrottle()
        if throttle.tried_too_often(request):
            raise Throttled(throttle.wait())
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            throttle.allow_request(request, None)
            logger.warning("wrong token from %s", throttle.get_ident(request))
            raise


class AnonymousDetectionThrottle(AnonymousThrottle):
    """Limits the detections of those who are not logged in, by address."""

    setting = "THROTTLE_ANONYMOUS_DETECTION"
    scope = "detect_anon"


class UserDetectionThrottle(UserThrottle):
    """Limits the detections of a user."""

    setting = "THROTTLE_USER_DETECTION"
    scope = "detect_user"
