"""The pages' entry in Django's registry."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Web pages for people who do not use the API."""

    name = "mesonet_site.pages"
    label = "mesonet_pages"
    verbose_name = "Pages"
