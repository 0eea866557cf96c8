"""The API's entry in Django's registry."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Detections of uploaded images, and the REST API."""

    name = "mesonet_site.api"
    label = "mesonet_api"
    verbose_name = "Detections"

    def ready(self) -> None:
        """Register the checks of the settings and the housekeeping of the worker."""
        from mesonet_site.api import checks, housekeeping  # noqa: F401
