"""Addresses of the models' pages."""

from django.urls import path

from mesonet_site.pages.detectors import views

urlpatterns = [
    path("models/", views.all_models, name="models"),
    path("models/<uuid:id>/", views.one_model, name="model"),
]
