"""The OpenAPI schema's common parts."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from mesonet_site.api.permissions import StaffOrReadOnly
from mesonet_site.api.problems import CONTENT_TYPE


class ProblemErrorSerializer(serializers.Serializer):
    """What is wrong with one part of a request."""

    pointer = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """A problem document (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = ProblemErrorSerializer(many=True, required=False)


class ProblemSchema(AutoSchema):
    """Adds the problems that every operation can answer with."""

    def get_auth(self) -> list[dict[str, Any]]:
        """Only what staff alone may do needs authentication."""
        schemes: list[dict[str, Any]] = super().get_auth()
        for_staff = StaffOrReadOnly in self.view.permission_classes and self.method != "GET"
        return schemes if for_staff or {} in schemes else [*schemes, {}]

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        component = self.resolve_serializer(ProblemSerializer, direction)
        for status in self._problems():
            responses.setdefault(
                status,
                {"content": {CONTENT_TYPE: {"schema": component.ref}}, "description": "Problem"},
            )
        return responses

    def _problems(self) -> list[str]:
        problems = ["401", "403", "405", "406", "429"]
        if "{" in self.path or self.method == "GET":
            problems += ["400", "404", "409"]
        if self.method not in ("GET", "DELETE"):
            problems += ["400", "404", "409", "413", "415", "503", "507"]
        return problems
