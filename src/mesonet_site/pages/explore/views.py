"""What a model says of labelled images of the server."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from mesonet_site.api.reference import DatasetSize, Predictions, PredictionsWithPlots
from mesonet_site.api.views import ModelViewSet
from mesonet_site.pages import doors
from mesonet_site.pages.explore.forms import ExploreForm


@require_GET
def explore(request: HttpRequest, id: UUID) -> HttpResponse:  # noqa: A002
    """Draw images at random and show truth, prediction and layers of each."""
    model = doors.fetch(ModelViewSet, "retrieve", request, id=id)
    size = doors.ask_view(DatasetSize, request)
    count = size.data["size"] if size.status_code == 200 else 0
    form = ExploreForm(request.GET or None, layers=len(model["layers"] or ()))
    context: dict[str, Any] = {"model": model, "count": count, "form": form}
    if count and form.is_valid():
        context |= _predictions(request, id, form.cleaned_data, count)
    return render(request, "explore/explore.html", context)


def _predictions(
    request: HttpRequest,
    model_id: UUID,
    asked: dict[str, Any],
    count: int,
) -> dict[str, Any]:
    where: dict[str, Any] = {"model_id": model_id, "images": min(asked["images"], count)}
    view: type[Predictions | PredictionsWithPlots] = Predictions
    if asked["layers"]:
        view = PredictionsWithPlots
        where["layers"] = ",".join(f"{layer:02d}" for layer in asked["layers"])
    answer = doors.ask_view(view, request, **where)
    if answer.status_code != 200:
        return {"refusal": answer.data["detail"]}
    drawn = answer.data
    wrong = [item for item in drawn if item["true_label"] != item["pred_label"]]
    return {
        "shown": wrong if asked["mistakes"] else drawn,
        "drawn": len(drawn),
        "wrong": len(wrong),
        "layers": asked["layers"],
    }
