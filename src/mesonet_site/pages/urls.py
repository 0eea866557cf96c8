"""Addresses of the pages."""

from django.urls import include, path

urlpatterns = [
    path("", include("mesonet_site.pages.check.urls")),
    path("", include("mesonet_site.pages.detectors.urls")),
    path("", include("mesonet_site.pages.explore.urls")),
    path("staff/", include("mesonet_site.pages.staff.urls")),
    path("", include("mesonet_site.pages.about.urls")),
    path("language/", include("django.conf.urls.i18n")),
]
