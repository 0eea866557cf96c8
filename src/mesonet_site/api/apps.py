"""The API's entry in Django's registry."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Detections of uploaded images, and the REST API."""

    name = "mesonet_site.api"
    label = "mesonet_api"
    verbose_name = "Detections"

    def ready(self) -> None:
        """Register the checks of the settings and the worker's regular duties."""
        from mesonet_site.api import checks, duties  # noqa: F401
