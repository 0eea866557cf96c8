"""Who may do what, and how often."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView


class StaffOrReadOnly(BasePermission):
    """Everyone may read, staff may change."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the method or the user is harmless; a method that is not there is answered so."""
        harmless = request.method in SAFE_METHODS or request.method not in view.allowed_methods
        return harmless or bool(request.user and request.user.is_staff)


class MayDetect(BasePermission):
    """Users may detect, and others as long as ``ANONYMOUS_DETECTION`` is on."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the user is known, or need not be."""
        known = bool(request.user and request.user.is_authenticated)
        return known or settings.ANONYMOUS_DETECTION or request.method not in view.allowed_methods


class AnonymousDetectionThrottle(AnonRateThrottle):
    """Limits the detections of those who are not logged in, by address."""

    scope = "detect_anon"


class UserDetectionThrottle(UserRateThrottle):
    """Limits the detections of a user."""

    scope = "detect_user"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """Leave the others to `AnonymousDetectionThrottle`."""
        return super().get_cache_key(request, view) if request.user.is_authenticated else None
