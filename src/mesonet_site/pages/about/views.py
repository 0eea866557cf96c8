"""Pages that explain."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from mesonet_site.pages.check.words import EXPLAINED, SIGNS, VERDICTS


@require_GET
def how_it_works(request: HttpRequest) -> HttpResponse:
    """From a file to words, for people who are no experts."""
    verdicts = [
        {"key": key, "sign": SIGNS[key], "words": VERDICTS[key], "explained": EXPLAINED[key]}
        for key in EXPLAINED
    ]
    return render(request, "about/how_it_works.html", {"verdicts": verdicts})


@require_GET
def api_guide(request: HttpRequest) -> HttpResponse:
    """How programs do what the pages do."""
    return render(request, "about/api.html", {"origin": request.build_absolute_uri("/")[:-1]})
