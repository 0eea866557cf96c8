"""Addresses of checks."""

from django.urls import path

from mesonet_site.pages.check import views

urlpatterns = [
    path("", views.start, name="check"),
    path("checks/<uuid:id>/", views.result, name="check-result"),
    path("checks/<uuid:id>/row/", views.row, name="check-row"),
    path("checks/<uuid:id>/delete/", views.delete, name="check-delete"),
    path("checks/<uuid:id>/record.json", views.record, name="check-record"),
    path("checks/<uuid:id>/report.html", views.report, name="check-report"),
]
