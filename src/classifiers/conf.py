"""The Django settings that the app reads, with their defaults."""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def model_folder() -> Path:
    """Folder of the uploaded model files: ``MODEL_FOLDER``, or ``MODEL_FILE_ROOT``.

    Raises:
        ImproperlyConfigured: neither is set.
    """
    for name in ("MODEL_FOLDER", "MODEL_FILE_ROOT"):
        if folder := getattr(settings, name, None):
            return Path(folder)
    raise ImproperlyConfigured(
        "Set MODEL_FOLDER to a folder for model files that the web server does not serve."
    )


def data_root() -> Path:
    """Folder of the labelled images, ``DATA_ROOT``; a relative one lies below ``MEDIA_ROOT``."""
    return Path(settings.MEDIA_ROOT) / getattr(settings, "DATA_ROOT", "data")


def data_url() -> str:
    """URL of ``DATA_ROOT``, ending in a slash: ``DATA_URL``, or its place below ``MEDIA_URL``."""
    if url := getattr(settings, "DATA_URL", None):
        return str(url)
    root, media = data_root().resolve(), Path(settings.MEDIA_ROOT).resolve()
    if not root.is_relative_to(media):
        raise ImproperlyConfigured("DATA_ROOT lies outside MEDIA_ROOT: set DATA_URL too.")
    return f"{settings.MEDIA_URL}{root.relative_to(media).as_posix()}/"


def max_model_bytes() -> int:
    """Largest model file that is taken, ``CLASSIFIERS_MAX_MODEL_BYTES``; 200 MiB by default."""
    return int(getattr(settings, "CLASSIFIERS_MAX_MODEL_BYTES", 200 << 20))


def loaded_models() -> int:
    """How many models a process keeps loaded, ``CLASSIFIERS_LOADED_MODELS``; 4 by default."""
    return int(getattr(settings, "CLASSIFIERS_LOADED_MODELS", 4))


def load_seconds() -> float:
    """How long a new model may take to load, ``CLASSIFIERS_LOAD_SECONDS``; 120 by default.

    It is loaded in a process of its own first. With 0 it is not.
    """
    return float(getattr(settings, "CLASSIFIERS_LOAD_SECONDS", 120))


def draw_seconds() -> float:
    """How long drawing layers may take, ``CLASSIFIERS_DRAW_SECONDS``; 120 by default.

    It is done in a process of its own. With 0 it is done in the process that asks for it.
    """
    return float(getattr(settings, "CLASSIFIERS_DRAW_SECONDS", 120))


def worker_timeout() -> float:
    """Seconds of silence after which a worker counts as dead, ``CLASSIFIERS_WORKER_TIMEOUT``."""
    return float(getattr(settings, "CLASSIFIERS_WORKER_TIMEOUT", 20))
