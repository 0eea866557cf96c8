"""The Django settings that the API reads, with their defaults.

``conf.MAX_IMAGES`` is the setting ``MAX_IMAGES`` of the project, or its default below.
`mesonet_site.settings` takes each from an environment variable of the same name. What they mean
is in ``docs/server.md``.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from mesonet.parallel import cores

DEFAULTS: dict[str, str | bool | int | float] = {
    "DEFAULT_MODEL": "",
    "MAX_IMAGES": 200,
    "MAX_IMAGE_BYTES": 20 << 20,
    "MAX_IMAGE_PIXELS": 50_000_000,
    "MAX_CLIP_BYTES": 90 << 20,
    "MAX_CLIP_PIXELS": 9_000_000,
    "MAX_CLIP_SECONDS": 600.0,
    "MAX_REQUEST_BYTES": 100 << 20,
    "SYNC_IMAGES": 8,
    "SCORE_AT_ONCE": 2 * cores(),
    "SCORE_WAITING": 32,
    "SCORE_WAIT_SECONDS": 10.0,
    "MAX_PLOTS": 64,
    "MAX_JOBS": 200,
    "MAX_STORED_BYTES": 2 << 30,
    "RETENTION_DAYS": 7.0,
    "ANONYMOUS_DETECTION": True,
    "THROTTLE_ANONYMOUS": "300/min",
    "THROTTLE_USER": "3000/min",
    "THROTTLE_WRONG_TOKENS": "30/min",
    "THROTTLE_ANONYMOUS_DETECTION": "60/min",
    "THROTTLE_USER_DETECTION": "1200/min",
}


def __getattr__(name: str) -> Any:
    if name not in DEFAULTS:
        raise AttributeError(name)
    return getattr(settings, name, DEFAULTS[name])


def upload_folder() -> Path:
    """Folder of the images that wait to be scored, ``UPLOAD_FOLDER``.

    Raises:
        ImproperlyConfigured: it is not set.
    """
    if folder := getattr(settings, "UPLOAD_FOLDER", None):
        return Path(folder)
    raise ImproperlyConfigured(
        "Set UPLOAD_FOLDER to a folder for waiting images that the web server does not serve."
    )
