"""The address of exploring a model."""

from django.urls import path

from mesonet_site.pages.explore import views

urlpatterns = [path("models/<uuid:id>/explore/", views.explore, name="explore")]
