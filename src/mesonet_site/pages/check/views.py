"""Checking photographs and clips: the form, the wait, the result."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import mesonet
from mesonet_site.api.models import Detection
from mesonet_site.api.views import DetectionViewSet
from mesonet_site.pages import doors, workers
from mesonet_site.pages.check.notes import say
from mesonet_site.pages.check.presentation import MediumView
from mesonet_site.pages.check.refusals import sentence
from mesonet_site.pages.check.report import embedded, made_by, sealed, stylesheet
from mesonet_site.pages.check.timeline import Timeline
from mesonet_site.pages.check.whole import as_record


@require_http_methods(["GET", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Ask for photographs and clips, and take them."""
    refusal, status, headers = "", 200, {}
    if request.method == "POST":
        response = doors.ask(DetectionViewSet, "create", request)
        if response.status_code < 300:
            return redirect("check-row" if request.htmx else "check-result", response.data["id"])
        status, refusal = response.status_code, sentence(response)
        headers = {name: response[name] for name in ("Retry-After",) if name in response}
    may_check = settings.ANONYMOUS_DETECTION or request.user.is_authenticated
    context = {"refusal": refusal, "may_check": may_check, "limits": _limits()}
    template = "check/refused.html" if refusal and request.htmx else "check/start.html"
    page = render_to_string(template, context, request)
    return HttpResponse(page, status=status, headers=headers)


@require_GET
def result(request: HttpRequest, id: UUID) -> HttpResponse:  # noqa: A002
    """What was found, or how far it is."""
    return render(request, "check/result.html", _found(request, id))


@require_GET
def row(request: HttpRequest, id: UUID) -> HttpResponse:  # noqa: A002
    """One line about a check, for the list on the form's page."""
    return render(request, "check/row.html", _found(request, id))


@require_POST
def delete(request: HttpRequest, id: UUID) -> HttpResponse:  # noqa: A002
    """Forget a check with all its pictures."""
    response = doors.ask(DetectionViewSet, "destroy", request, id=id)
    if response.status_code == 204:
        messages.success(request, _("The check and its pictures are deleted."))
    else:
        messages.error(request, _("There was nothing to delete at that address."))
    return redirect("check")


@require_GET
def record(request: HttpRequest, id: UUID) -> HttpResponse:  # noqa: A002
    """The record as the API gives it, to be kept."""
    data = doors.fetch(DetectionViewSet, "retrieve", request, id=id)
    response = JsonResponse(data, json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="mesonet-{id}.json"'
    return response


@require_GET
def report(request: HttpRequest, id: UUID) -> HttpResponse:  # noqa: A002
    """The result as one file with everything in it, to be kept and printed."""
    detection = doors.fetch(DetectionViewSet, "retrieve", request, id=id)
    stored = Detection.objects.only("pictures", "results").get(pk=id)
    done = [index for index, result in enumerate(stored.results) if result is not None]
    media = [
        _medium(found, detection, embedded(found.get("pictures"), stored.pictures, index))
        for index, found in zip(done, detection["results"], strict=True)
    ]
    records = [result for result in stored.results if result is not None]
    maker = made_by(records)
    context = _context(detection, media) | {"style": stylesheet(), "made_by": maker}
    context["version"] = mesonet.__version__
    page = render_to_string("check/report.html", context, request)
    response = HttpResponse(sealed(page, maker, records) if maker else page)
    response["Content-Disposition"] = f'attachment; filename="mesonet-{id}.html"'
    return response


def _found(request: HttpRequest, id: UUID) -> dict[str, Any]:  # noqa: A002
    detection = doors.fetch(DetectionViewSet, "retrieve", request, id=id)
    media = [_medium(found, detection, found.get("pictures")) for found in detection["results"]]
    stored = Detection.objects.only("results", "model").filter(pk=id).first()
    records = [result for result in stored.results if result is not None] if stored else []
    return _context(detection, media) | {
        "made_by": made_by(records),
        "model_id": stored and stored.model_id,
        "version": mesonet.__version__,
    }


def _context(detection: dict[str, Any], media: list[MediumView]) -> dict[str, Any]:
    running = detection["state"] in Detection.UNFINISHED
    checked_at = parse_datetime(detection["created_at"])
    return {
        "detection": detection,
        "media": [(medium, Timeline(medium) if medium.is_clip else None) for medium in media],
        "message": say(detection["message"]),
        "running": running,
        "worker_down": running and not workers.alive(),
        "checked_at": checked_at,
        "kept_until": checked_at + timedelta(days=settings.RETENTION_DAYS),
    }


def _medium(
    found: dict[str, Any], detection: dict[str, Any], pictures: dict[str, Any] | None
) -> MediumView:
    if detection["faces"] == Detection.Faces.WHOLE:
        found = as_record(found, detection)
    return MediumView(found, pictures or {})


def _limits() -> dict[str, int]:
    return {
        "photo": settings.MAX_IMAGE_BYTES,
        "clip": settings.MAX_CLIP_BYTES,
        "bytes": max(settings.MAX_IMAGE_BYTES, settings.MAX_CLIP_BYTES),
        "minutes": round(settings.MAX_CLIP_SECONDS / 60),
        "days": round(settings.RETENTION_DAYS),
    }
