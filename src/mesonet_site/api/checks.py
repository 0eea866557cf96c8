"""Checks of the settings at start."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def check_limits(**_: Any) -> list[CheckMessage]:
    """Limits that contradict each other."""
    errors: list[CheckMessage] = []
    if settings.SYNC_IMAGES > settings.MAX_IMAGES:
        errors.append(Error("SYNC_IMAGES is larger than MAX_IMAGES.", id="mesonet.E001"))
    if settings.MODEL_FOLDER.is_relative_to(settings.MEDIA_ROOT):
        errors.append(
            Error(
                "MODEL_FILE_ROOT lies in the media folder, which is served to everyone.",
                id="mesonet.E002",
            )
        )
    if settings.UPLOAD_FOLDER.is_relative_to(settings.MEDIA_ROOT):
        errors.append(
            Error(
                "UPLOAD_FOLDER lies in the media folder, which is served to everyone.",
                id="mesonet.E003",
            )
        )
    return errors
