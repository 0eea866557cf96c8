"""Pages that explain."""

import math
from typing import Any

from django.conf import settings
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


def locked_out(request: HttpRequest, *_: Any) -> HttpResponse:
    """Instead of the form, when too many passwords were wrong: django-axes asks for it."""
    seconds = settings.AXES_COOLOFF_TIME.total_seconds()
    context = {"minutes": math.ceil(seconds / 60)}
    page = render(request, "about/locked_out.html", context, status=429)
    page["Retry-After"] = str(math.ceil(seconds))
    return page
