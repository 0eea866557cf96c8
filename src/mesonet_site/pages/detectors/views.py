"""The list of models, and the page of each."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from classifiers.models import MLModel
from mesonet.evidence import WORDS
from mesonet.files import file_hash, joint_hash
from mesonet.model_info import ModelInfo
from mesonet.weights import released_file
from mesonet_site.api.views import ModelViewSet
from mesonet_site.pages import doors
from mesonet_site.pages.check.words import METHODS, SIGNS, VERDICTS, kinds_of
from mesonet_site.pages.detectors.cards import card
from mesonet_site.pages.detectors.plots import reliability_bars, roc_points, roc_rows
from mesonet_site.pages.detectors.robustness import panels

UNFINISHED = (MLModel.State.WAITING, MLModel.State.RUNNING)


@require_GET
def all_models(request: HttpRequest) -> HttpResponse:
    """Every model with its figures; a page at a time."""
    data = doors.fetch(ModelViewSet, "list", request)
    return render(request, "detectors/all_models.html", {"data": data, "unfinished": UNFINISHED})


@require_GET
def one_model(request: HttpRequest, id: UUID) -> HttpResponse:  # noqa: A002
    """What is known of a model, and how its measurement goes."""
    model = doors.fetch(ModelViewSet, "retrieve", request, id=id)
    context: dict[str, Any] = {"model": model, "running": model["state"] in UNFINISHED}
    released = released_file(model["sha256"])
    if released:
        context["card"] = card(released)
        if all(path.is_file() for path in released.scored_files):
            context["scored_sha256"] = joint_hash(map(file_hash, released.scored_files))
        if measured := released.robustness:
            context |= {"measured": measured, "robustness": panels(measured)}
    stored = MLModel.objects.values_list("info", flat=True).filter(pk=id).first()
    if info := ModelInfo.from_dict(stored) if stored else released and released.info:
        context |= {"info": info, "words": _words(info), "kinds": kinds_of(info.kinds)}
        context["error_rate"] = 100 * (info.error_rate or 0)
    if model["explanations"]:
        context["offered"] = [METHODS.get(name, name) for name in model["explanations"]]
    if curves := model["curves"]:
        (true_real, false_alarms), (missed, found) = curves["confusion"]
        context["confusion"] = {
            "true_real": true_real,
            "false_alarms": false_alarms,
            "missed": missed,
            "found": found,
        }
        context["roc"] = {"points": roc_points(curves), "rows": roc_rows(curves)}
        context["reliability"] = reliability_bars(curves)
    return render(request, "detectors/one_model.html", context)


def _words(info: ModelInfo) -> list[dict[str, Any]]:
    """From where each word is used, and how often, of 100 faces."""
    evidence = info.evidence
    if evidence is None:
        return []
    starts = (0.0, evidence.uncertain, evidence.some, evidence.strong)
    shares = zip(evidence.real_shares, evidence.fake_shares, strict=True)
    return [
        {"key": word, "sign": SIGNS[word], "words": VERDICTS[word], "start": start}
        | {"real": 100 * real, "fake": 100 * fake}
        for word, start, (real, fake) in zip(WORDS, starts, shares, strict=True)
    ]
