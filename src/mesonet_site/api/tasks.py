"""Scoring many images in the background, and forgetting what is too old."""

import logging
import re
import time
from contextlib import ExitStack
from datetime import timedelta

from django.apps import apps
from django.core.files.storage import Storage, default_storage
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks import TaskContext, task

from classifiers.conf import worker_timeout
from classifiers.models import MLModel
from classifiers.storage import model_storage
from classifiers.tasks import MAX_ATTEMPTS
from mesonet.errors import ModelFileError
from mesonet.progress import Progress
from mesonet_site.api import conf
from mesonet_site.api.models import Detection
from mesonet_site.api.people import ROOT as PICTURES
from mesonet_site.api.people import check_upload
from mesonet_site.api.problems import trouble
from mesonet_site.api.scoring import score
from mesonet_site.api.storage import upload_storage

_IMAGES_A_TASK = 8
_SECONDS_BETWEEN_TELLING = 1.0
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOKEN = re.compile("[A-Za-z0-9_-]{43}")

logger = logging.getLogger(__name__)


def enqueue(detection: Detection) -> None:
    """Queue a detection, as tasks of a few images each that any number of workers share."""
    for first in range(0, detection.images, _IMAGES_A_TASK):
        detect.enqueue(str(detection.id), first)


@task(takes_context=True)
def detect(context: TaskContext, detection_id: str, first: int = 0) -> None:
    """Score the stored images of a detection from ``first`` on, those that nobody has scored."""
    unfinished = Detection.objects.filter(pk=detection_id, state__in=Detection.UNFINISHED)
    detection = unfinished.select_related("model").first()
    if detection is None:
        for ended in Detection.objects.filter(pk=detection_id, stored_bytes__gt=0):
            ended.drop_images()  # its worker was killed before it could
        return
    message = ""
    try:
        if context.attempt > MAX_ATTEMPTS:
            raise InterruptedError(f"scoring broke off {MAX_ATTEMPTS} times")
        if detection.model is None:
            raise LookupError("the model was deleted")
        unfinished.update(state=Detection.State.RUNNING)
        _score(detection, detection.model, first)
    except (InterruptedError, LookupError) as error:
        message = f"{error}"
    except ModelFileError as error:
        message = f"the model {error.reason}"[:500]
    except Exception as error:
        if trouble(error):
            raise  # it is queued again: see `queue_lost_detections`
        message = "scoring failed; the worker's log says why"
        if unfinished.exists():  # else its images were deleted
            raise
    finally:
        if message:
            unfinished.update(state=Detection.State.FAILED, message=message)
        if not unfinished.exists():
            detection.drop_images()


def _score(detection: Detection, model: MLModel, first: int) -> None:
    done = {index for index, result in enumerate(detection.results) if result is not None}
    left = [i for i in range(first, detection.images)[:_IMAGES_A_TASK] if i not in done]
    if detection.faces == Detection.Faces.FIND:
        for index in left:
            with detection.open_image(index) as file:
                name, folder = detection.names[index], detection.pictures
                found = check_upload(
                    *(model, file, name, folder, index),
                    explain=detection.explain,
                    progress=_telling(Detection.objects.filter(pk=detection.pk)),
                )
            if not detection.record({index: found}):
                return
        return
    with ExitStack() as files:
        images = [
            (detection.names[index], files.enter_context(detection.open_image(index)))
            for index in left
        ]
        scores = score(model, images, detection.threshold, detection.layers, detection.band)
    detection.record(dict(zip(left, scores, strict=True)))


def _telling(running: QuerySet) -> Progress:
    """Write down how many frames of a clip are done, now and then."""
    told = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _SECONDS_BETWEEN_TELLING:
            told = time.monotonic()
            running.update(frames_done=done, frames=total)

    return tell


def clean_up() -> tuple[int, int]:
    """Delete detections, plots and finished tasks older than ``RETENTION_DAYS``.

    Returns:
        How many detections and plots were deleted.
    """
    limit = timezone.now() - timedelta(days=conf.RETENTION_DAYS)
    _drop_stray_images()
    drop_stray_models()
    if apps.is_installed("django_tasks_db"):
        from django_tasks_db.models import DBTaskResult

        DBTaskResult.objects.filter(finished_at__lt=limit).delete()
    _, deleted = Detection.objects.filter(created_at__lt=limit).delete()
    plots = 0
    if default_storage.exists(MLModel.plot_root):
        for name in default_storage.listdir(MLModel.plot_root)[1]:
            path = f"{MLModel.plot_root}/{name}"
            if default_storage.get_modified_time(path) < limit:
                default_storage.delete(path)
                plots += 1
    return deleted.get(Detection._meta.label, 0), plots


def _drop_stray_images() -> None:
    """Delete stored images that no detection waits for, and pictures of none, left by a crash.

    Those of the last hour may belong to a detection that is being stored.
    """
    unfinished = Detection.objects.filter(state__in=Detection.UNFINISHED)
    waiting = {str(pk) for pk in unfinished.values_list("pk", flat=True)}
    _drop_strays(upload_storage(), "", _UUID, waiting)
    kept = set(Detection.objects.values_list("pictures", flat=True))
    _drop_strays(default_storage, PICTURES, _TOKEN, kept)


def _drop_strays(storage: Storage, root: str, ours: re.Pattern[str], known: set[str]) -> None:
    if not storage.exists(root):
        return
    hour_ago = timezone.now() - timedelta(hours=1)
    for folder in storage.listdir(root)[0]:
        if folder in known or not ours.fullmatch(folder):
            continue
        path = f"{root}/{folder}".lstrip("/")
        names = [f"{path}/{name}" for name in storage.listdir(path)[1]]
        if all(storage.get_modified_time(name) < hour_ago for name in names):
            for name in names:
                storage.delete(name)
            storage.delete(path)


def drop_stray_models(name: str = "") -> None:
    """Delete stored model files without a row, which a crash may leave.

    Those of the last hour may belong to a model that is being stored.

    Args:
        name: of a model; its file alone is looked for, and deleted however new it is.
    """
    storage = model_storage()
    if not storage.exists(MLModel.root):
        return
    known = set(MLModel.objects.values_list("model_file", flat=True))
    hour_ago = timezone.now() - timedelta(hours=1)
    for file in storage.listdir(MLModel.root)[1]:
        path = f"{MLModel.root}/{file}"
        if path not in known and (
            file.startswith(f"{name}.") if name else storage.get_modified_time(path) < hour_ago
        ):
            storage.delete(path)


def queue_lost_detections() -> None:
    """Queue waiting detections again whose task has come to an end or never was."""
    from django_tasks_db.models import DBTaskResult

    silent_since = timezone.now() - timedelta(seconds=worker_timeout())
    tasks = DBTaskResult.objects.filter(finished_at=None, task_path=detect.module_path)
    queued = {arguments["args"][0] for arguments in tasks.values_list("args_kwargs", flat=True)}
    lost = Detection.objects.filter(
        state__in=Detection.UNFINISHED, created_at__lt=silent_since
    ).exclude(pk__in=queued)
    for detection in lost:
        enqueue(detection)
