"""Uploading models, what is queued, and what has failed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import user_passes_test
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from classifiers.models import MLModel
from mesonet_site.api.models import Detection
from mesonet_site.api.views import ModelViewSet
from mesonet_site.pages import doors, workers

_SHOWN = 20

for_staff = user_passes_test(lambda user: user.is_staff)


@for_staff
@require_http_methods(["GET", "POST"])
def staff(request: HttpRequest) -> HttpResponse:
    """Take a model, and show what the worker has to do."""
    refusals: list[dict[str, str]] = []
    status = 200
    if request.method == "POST":
        answer = doors.ask(ModelViewSet, "create", request)
        if answer.status_code == 201:
            return redirect("model", answer.data["id"])
        status, refusals = answer.status_code, _refusals(answer.data)
    unfinished = (MLModel.State.WAITING, MLModel.State.RUNNING)
    checks = Detection.objects.defer("results", "names")
    context = {
        "refusals": refusals,
        "sent": request.POST,
        "models": MLModel.objects.all(),
        "unfinished": unfinished,
        "queue": checks.filter(state__in=Detection.UNFINISHED)[:_SHOWN],
        "queued": checks.filter(state__in=Detection.UNFINISHED).count(),
        "failed": checks.filter(state=Detection.State.FAILED)[:_SHOWN],
        "worker_lives": workers.alive(),
    }
    return render(request, "staff/staff.html", context, status=status)


@for_staff
@require_POST
def delete_model(request: HttpRequest, id: UUID) -> HttpResponse:  # noqa: A002
    """Delete a model with its files."""
    answer = doors.ask(ModelViewSet, "destroy", request, id=id)
    if answer.status_code == 204:
        messages.success(request, _("The model is deleted."))
    else:
        messages.error(request, _("There is no such model."))
    return redirect("staff")


@for_staff
@require_POST
def measure_model(request: HttpRequest, id: UUID) -> HttpResponse:  # noqa: A002, ARG001
    """Measure a model again, as Django's admin does."""
    get_object_or_404(MLModel, pk=id).measure()
    return redirect("model", id)


def _refusals(problem: dict[str, Any]) -> list[dict[str, str]]:
    """What is wrong with each field, by the names that the form uses."""
    names = {
        "#/name": _("Name"),
        "#/description": _("Description"),
        "#/file": _("Model file"),
        "#/loss_curve": _("Loss curve"),
    }
    errors = problem.get("errors") or [{"pointer": "", "detail": problem["detail"]}]
    return [
        {"field": names.get(error["pointer"], ""), "detail": error["detail"]} for error in errors
    ]
