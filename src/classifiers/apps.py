"""The app's entry in Django's registry."""

from django.apps import AppConfig


class ClassifiersConfig(AppConfig):
    """Uploaded detectors, their figures and their predictions."""

    name = "classifiers"
    verbose_name = "Detectors"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks, and let the task hear of models that are to be measured."""
        from classifiers import checks, tasks  # noqa: F401
