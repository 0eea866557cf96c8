"""Addresses of the pages that explain, and of signing in."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from mesonet_site.pages.about import views

urlpatterns = [
    path("how-it-works/", views.how_it_works, name="how-it-works"),
    path("api-guide/", views.api_guide, name="api-guide"),
    path("sign-in/", LoginView.as_view(template_name="about/sign_in.html"), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
]
