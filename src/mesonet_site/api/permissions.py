"""Who may do what."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from mesonet_site.api import conf

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
        return known or conf.ANONYMOUS_DETECTION or request.method not in view.allowed_methods
