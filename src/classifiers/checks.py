"""Checks of the settings at start: what is missing, and what would be public."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, default_storage

from classifiers import conf
from classifiers.storage import MLModelStorage, model_storage


@register()
def check_settings(**_: Any) -> list[CheckMessage]:
    """Folders that are missing or public, and measuring that would block."""
    found: list[CheckMessage] = []
    if isinstance(default_storage, FileSystemStorage) and not settings.MEDIA_ROOT:
        found.append(
            Error(
                "MEDIA_ROOT is not set: plots are kept there, and shown from MEDIA_URL.",
                id="classifiers.E001",
            )
        )
    if isinstance(model_storage(), MLModelStorage):
        try:
            found += private_folder(
                "MODEL_FOLDER or MODEL_FILE_ROOT", conf.model_folder(), "classifiers.E003"
            )
        except ImproperlyConfigured as error:
            found.append(Error(str(error), id="classifiers.E002"))
    if not hasattr(settings, "TASKS"):
        found.append(
            checks.Warning(
                "TASKS is not set: saving a model measures it within the request.",
                hint='TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}, with '
                "django_tasks and django_tasks_db in INSTALLED_APPS, lets run_worker do it.",
                id="classifiers.W001",
            )
        )
    return found


def private_folder(name: str, folder: Path, number: str) -> list[CheckMessage]:
    """An error where a folder lies in the one that is served to everyone."""
    media = settings.MEDIA_ROOT
    if not media or not folder.resolve().is_relative_to(Path(media).resolve()):
        return []
    return [Error(f"{name} lies in the media folder, which is served to everyone.", id=number)]
