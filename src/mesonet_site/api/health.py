"""Whether the server lives and can work, and what it is."""

from collections.abc import Callable
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

import mesonet
from classifiers.models import Worker
from mesonet_site.api.base import ApiView
from mesonet_site.api.lookup import default_model
from mesonet_site.api.storage import upload_storage

_MILLISECONDS_TO_WRITE = 1000
_SECONDS_TO_RETRY = 5
_STATUS = inline_serializer("Alive", {"status": serializers.CharField()})
_READINESS = inline_serializer(
    "Readiness",
    {
        "status": serializers.ChoiceField(["ok", "unavailable"]),
        "checks": serializers.DictField(child=serializers.CharField()),
    },
)


@extend_schema(tags=["server"])
class Live(ApiView):
    """Whether the process answers."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(summary="Whether the process answers", responses=_STATUS)
    def get(self, request: Request) -> Response:
        """Always the same."""
        return Response({"status": "ok"})


@extend_schema(tags=["server"])
class Ready(ApiView):
    """Whether requests can be served."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        summary="Whether database, storage and a model are there",
        responses={200: _READINESS, 503: _READINESS},
    )
    def get(self, request: Request) -> Response:
        """Check database, storage and models."""
        checks = {
            "database": _outcome(_database),
            "storage": _outcome(_storage),
            "model": _outcome(_model),
        }
        ready = all(outcome == "ok" for outcome in checks.values())
        if ready:
            return Response({"status": "ok", "checks": checks})
        headers = {"Retry-After": str(_SECONDS_TO_RETRY)}
        return Response({"status": "unavailable", "checks": checks}, 503, headers=headers)


@extend_schema(tags=["server"])
class Version(ApiView):
    """What runs here."""

    @extend_schema(
        summary="Version of the software and of the API",
        responses=inline_serializer(
            "Version", {"version": serializers.CharField(), "api": serializers.CharField()}
        ),
    )
    def get(self, request: Request) -> Response:
        """Both versions."""
        return Response({"version": mesonet.__version__, "api": "1"})


def _outcome(check: Callable[[], str | None]) -> str:
    try:
        return check() or "ok"
    except Exception as error:  # noqa: BLE001 - whatever fails is the answer
        return f"failed: {type(error).__name__}"


def _database() -> None:
    """Write nothing, which a lock prevents like anything else."""
    with connection.cursor() as cursor:
        sqlite = connection.vendor == "sqlite"
        if sqlite:
            cursor.execute(f"PRAGMA busy_timeout = {_MILLISECONDS_TO_WRITE}")
        try:
            with transaction.atomic():
                Worker.objects.filter(pk="").update(seen_at=timezone.now())
        finally:
            if sqlite:
                wait = 1000 * connection.settings_dict["OPTIONS"].get("timeout", 5)
                cursor.execute(f"PRAGMA busy_timeout = {int(wait)}")


def _storage() -> None:
    for storage in (default_storage, upload_storage()):
        name = f"readyz-{uuid4().hex}"
        try:
            storage.save(name, ContentFile(b"ok" * 512))
        finally:
            storage.delete(name)


def _model() -> str | None:
    model = default_model()
    if model is None:
        return "there is no model"
    return None if model.usable else f"the model {model.model_name} is not ready"
