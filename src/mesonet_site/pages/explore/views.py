"""What a model says of labelled images of the server."""

import random
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mesonet_site.api.reference import DatasetSize, Predictions, PredictionsWithPlots
from mesonet_site.api.views import ModelViewSet
from mesonet_site.pages import doors
from mesonet_site.pages.explore.forms import LARGEST_SEED, ExploreForm


@require_GET
def explore(request: HttpRequest, id: UUID) -> HttpResponse:  # noqa: A002
    """Show truth, prediction and layers of images, a page at a time of a random order."""
    model = doors.fetch(ModelViewSet, "retrieve", request, id=id)
    size = doors.ask_view(DatasetSize, request)
    count = size.data["size"] if size.status_code == 200 else 0
    form = ExploreForm(request.GET or None, layers=len(model["layers"] or ()))
    context: dict[str, Any] = {
        "model": model,
        "count": count,
        "form": form,
        "others": _others(request, id),
    }
    if count and form.is_valid():
        if form.cleaned_data["seed"] is None:
            seed = random.randint(0, LARGEST_SEED)  # noqa: S311 - it is no secret
            return HttpResponseRedirect(_with(request, seed=seed))
        context |= _predictions(request, id, form.cleaned_data, count)
    return render(request, "explore/explore.html", context)


def _predictions(
    request: HttpRequest,
    model_id: UUID,
    asked: dict[str, Any],
    count: int,
) -> dict[str, Any]:
    images, skip = asked["images"], asked["skip"] or 0
    where: dict[str, Any] = {"model_id": model_id, "images": images}
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
        "previous": _with(request, skip=max(0, skip - images)) if skip else "",
        "next": _with(request, skip=skip + images) if skip + images < count else "",
    }


def _others(request: HttpRequest, model_id: UUID) -> list[dict[str, str]]:
    """Name and address of the other models, which are asked for the same images."""
    query = request.GET.copy()
    query.pop("layers", None)  # each model has its own
    models = doors.fetch(ModelViewSet, "list", request)["results"]
    return [
        {
            "name": model["name"],
            "address": f"{reverse('explore', args=(model['id'],))}?{query.urlencode()}",
        }
        for model in models
        if model["usable"] and model["id"] != str(model_id)
    ]


def _with(request: HttpRequest, **values: int) -> str:
    query = request.GET.copy()
    for name, value in values.items():
        query[name] = str(value)
    return f"?{query.urlencode()}"
