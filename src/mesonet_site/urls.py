"""All addresses of the server."""

from pathlib import Path

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import include, path
from django.views.static import serve
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


def media(request: HttpRequest, name: str) -> HttpResponseBase:
    """Plots and loss curves."""
    return _file(request, name, settings.MEDIA_ROOT)


def data(request: HttpRequest, name: str) -> HttpResponseBase:
    """The labelled images."""
    return _file(request, name, settings.DATA_ROOT)


def _file(request: HttpRequest, name: str, folder: Path) -> HttpResponseBase:
    try:
        return serve(request, name, folder)
    except (OSError, SuspiciousOperation, ValueError):  # a name that no file can have
        raise Http404 from None


urlpatterns = [
    path("", include("mesonet_site.pages.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("mesonet_site.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="about/swagger.html"),
        name="docs",
    ),
]
if settings.METRICS:
    from mesonet_site.metrics import metrics

    urlpatterns.append(path("metrics", metrics))
if settings.SERVE_MEDIA:
    urlpatterns += [
        path(f"{settings.DATA_URL.lstrip('/')}<path:name>", data),
        path(f"{settings.MEDIA_URL.lstrip('/')}<path:name>", media),
    ]

handler400 = "mesonet_site.api.problems.bad_request"
handler404 = "mesonet_site.api.problems.not_found"
handler500 = "mesonet_site.pages.failures.server_error"
