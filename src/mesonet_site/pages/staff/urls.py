"""Addresses for staff."""

from django.urls import path

from mesonet_site.pages.staff import views

urlpatterns = [
    path("", views.staff, name="staff"),
    path("models/<uuid:id>/delete/", views.delete_model, name="model-delete"),
    path("models/<uuid:id>/measure/", views.measure_model, name="model-measure"),
]
