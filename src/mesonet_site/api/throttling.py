"""How often somebody may detect."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView


class AnonymousDetectionThrottle(AnonRateThrottle):
    """Limits the detections of those who are not logged in, by address."""

    scope = "detect_anon"


class UserDetectionThrottle(UserRateThrottle):
    """Limits the detections of a user."""

    scope = "detect_user"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """Leave the others to `AnonymousDetectionThrottle`."""
        return super().get_cache_key(request, view) if request.user.is_authenticated else None
