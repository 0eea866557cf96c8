"""Checking uploaded photographs and clips for people, within the limits of the settings."""

import io
import threading
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from numpy.typing import NDArray
from PIL import Image

from classifiers.models import MLModel
from mesonet.checking import Checker, Pictures
from mesonet.faces import CenterFace
from mesonet.media import Limits, MediaSource, kind_of_medium
from mesonet.parallel import cores
from mesonet.progress import Progress
from mesonet.report.record import describe
from mesonet_site.api import conf

ROOT = "faces"
"""Folder of the pictures below that of the media."""

_QUALITY = 82
_checking = threading.Semaphore(cores())
"""Bounds the memory of media that are looked at at the same time."""


@cache
def _face_detector() -> CenterFace:
    return CenterFace()


def kind_of_upload(file: File, name: str) -> Literal["photo", "clip"]:
    """Tell an uploaded photograph from a clip, by its content.

    Raises:
        mesonet.errors.MediaError: it is neither, or exceeds the limits of the settings.
    """
    return kind_of_medium(_source(file), name, _limits())


def check_upload(
    model: MLModel,
    file: File,
    name: str,
    folder: str,
    index: int,
    *,
    explain: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Check a photograph or clip, and keep small pictures of what was seen.

    Args:
        model: judges the faces.
        file: the upload.
        name: what the record calls it.
        folder: an unguessable name; where in ``faces/`` of the media the pictures go.
        index: the upload's number within the request.
        explain: say where the score came from, as far as the model passed the exam.
        progress: is told how many frames of a clip have been looked at.

    Returns:
        The record, see `mesonet.checking.Check.to_dict`, with ``pictures``: addresses of the
        ``scene``, the ``crops`` by person, the ``frames`` by number and the ``maps`` by method;
        None where there is none; and ``made_by``, as of `mesonet.report.record.describe`.
    """
    checker = Checker(
        model.get_detector(), faces=_face_detector(), limits=_limits(), explain=explain
    )
    with _checking:
        check = checker.check(_source(file), name=name, pictures=True, progress=progress)
    pictures = check.pictures and _keep(check.pictures, f"{ROOT}/{folder}/{index}")
    return check.to_dict() | {"pictures": pictures, "made_by": describe(checker)}


def read_picture(folder: str, index: int, name: str) -> bytes:
    """A picture that was kept, as JPEG.

    Args:
        folder: that of the detection.
        index: the upload's number within the request.
        name: ``"scene"``, ``"person-N"``, ``"frame-N"`` or ``"map-METHOD"``.
    """
    with default_storage.open(f"{ROOT}/{folder}/{index}-{name}.jpg") as file:
        return bytes(file.read())


def drop_pictures(folder: str) -> None:
    """Delete the pictures of a detection."""
    path = f"{ROOT}/{folder}"
    if folder and default_storage.exists(path):
        for name in default_storage.listdir(path)[1]:
            default_storage.delete(f"{path}/{name}")
        default_storage.delete(path)


def _limits() -> Limits:
    return Limits(
        bytes=max(conf.MAX_IMAGE_BYTES, conf.MAX_CLIP_BYTES),
        pixels=conf.MAX_IMAGE_PIXELS,
        frame_pixels=conf.MAX_CLIP_PIXELS,
        duration=conf.MAX_CLIP_SECONDS,
    )


def _source(file: File) -> MediaSource:
    """Where the upload lies, or its bytes where it has no path here."""
    try:
        path = Path(file.temporary_file_path() if hasattr(file, "temporary_file_path") else "")
        return path if path.is_file() else _bytes(file)
    except (AttributeError, NotImplementedError):
        return _bytes(file)


def _bytes(file: File) -> bytes:
    file.seek(0)
    return bytes(file.read())


def _keep(pictures: Pictures, path: str) -> dict[str, Any]:
    def save(name: str, picture: NDArray[np.uint8]) -> str:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=_QUALITY)
        saved = default_storage.save(f"{path}-{name}.jpg", ContentFile(buffer.getvalue()))
        return str(default_storage.url(saved))

    height, width = pictures.scene.shape[:2]
    return {
        "scene": save("scene", pictures.scene),
        "width": width,
        "height": height,
        "scale": pictures.scene_scale,
        "frame": pictures.scene_frame,
        "crops": {str(n): save(f"person-{n}", crop) for n, crop in pictures.crops.items()},
        "frames": {str(n): save(f"frame-{n}", frame) for n, frame in pictures.frames.items()},
        "maps": {method: save(f"map-{method}", found) for method, found in pictures.maps.items()},
    }
