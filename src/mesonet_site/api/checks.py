"""Checks of the settings at start: what is missing, and what contradicts itself."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages

from classifiers.checks import private_folder
from mesonet_site.api import conf


@register()
def check_settings(**_: Any) -> list[CheckMessage]:
    """Limits that contradict each other, and a folder that is missing or public."""
    found: list[CheckMessage] = []
    if conf.SYNC_IMAGES > conf.MAX_IMAGES:
        found.append(Error("SYNC_IMAGES is larger than MAX_IMAGES.", id="mesonet.E001"))
    if "uploads" not in storages.backends:
        try:
            found += private_folder("UPLOAD_FOLDER", conf.upload_folder(), "mesonet.E003")
        except ImproperlyConfigured as error:
            found.append(Error(str(error), id="mesonet.E002"))
    return found
