"""Scoring many images in the background, and forgetting what is too old."""

import logging
import re
import time
from contextlib import ExitStack
from datetime import timedelta

from django.conf import settings
from django.core.files.storage import default_storage, storages
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks import TaskContext, task

from classifiers.models import MLModel
from classifiers.storage import model_storage
from classifiers.tasks import MAX_ATTEMPTS
from mesonet.errors import ModelFileError
from mesonet.progress import Progress
from mesonet_site.api.models import Detection
from mesonet_site.api.people import check_upload
from mesonet_site.api.scoring import score

_AT_A_TIME = 8
_SECONDS_BETWEEN_TELLING = 1.0
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

logger = logging.getLogger(__name__)


@task(takes_context=True)
def detect(context: TaskContext, detection_id: str) -> None:
    """Score the stored images of a detection, from where an earlier attempt has stopped."""
    unfinished = Detection.objects.filter(pk=detection_id, state__in=Detection.UNFINISHED)
    detection = unfinished.select_related("model").first()
    if detection is None:
        return
    try:
        if context.attempt > MAX_ATTEMPTS:
            raise InterruptedError(f"scoring broke off {MAX_ATTEMPTS} times")
        if detection.model is None:
            raise LookupError("the model was deleted")
        if not unfinished.update(state=Detection.State.RUNNING):
            return
        finished = _score_all(detection, detection.model)
    except (InterruptedError, LookupError) as error:
        unfinished.update(state=Detection.State.FAILED, message=f"{error}")
    except ModelFileError as error:
        unfinished.update(state=Detection.State.FAILED, message=f"the model {error.reason}"[:500])
    except Exception:
        unfinished.update(
            state=Detection.State.FAILED, message="scoring failed; the worker's log says why"
        )
        raise
    else:
        if finished:
            unfinished.update(state=Detection.State.DONE)
    detection.drop_images()


def _score_all(detection: Detection, model: MLModel) -> bool:
    """Score what is left; False if the detection was cancelled meanwhile."""
    running = Detection.objects.filter(pk=detection.pk, state=Detection.State.RUNNING)
    results = detection.results
    while len(results) < detection.images:
        if detection.faces == Detection.Faces.FIND:
            index = len(results)
            with detection.open_image(index) as file:
                name, folder = detection.names[index], detection.pictures
                results.append(
                    check_upload(
                        *(model, file, name, folder, index),
                        explain=detection.explain,
                        progress=_telling(running),
                    )
                )
            done = {"results": results, "processed": len(results), "frames_done": 0, "frames": 0}
            if not running.update(**done):
                return False
            continue
        with ExitStack() as files:
            images = [
                (detection.names[index], files.enter_context(detection.open_image(index)))
                for index in range(len(results), detection.images)[:_AT_A_TIME]
            ]
            results += score(model, images, detection.threshold, detection.layers, detection.band)
        if not running.update(results=results, processed=len(results)):
            return False
    return True


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
    """Delete detections and plots older than ``RETENTION_DAYS``.

    Returns:
        How many of each were deleted.
    """
    limit = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    _drop_stray_images()
    drop_stray_models()
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
    """Delete stored images that no detection is waiting for, which a crash may leave.

    Those of the last hour may belong to a detection that is being stored.
    """
    storage = storages["uploads"]
    if not storage.exists(""):
        return
    unfinished = Detection.objects.filter(state__in=Detection.UNFINISHED)
    known = {str(pk) for pk in unfinished.values_list("pk", flat=True)}
    hour_ago = timezone.now() - timedelta(hours=1)
    for folder in storage.listdir("")[0]:
        if folder in known or not _UUID.fullmatch(folder):
            continue
        names = [f"{folder}/{name}" for name in storage.listdir(folder)[1]]
        if all(storage.get_modified_time(name) < hour_ago for name in names):
            for name in names:
                storage.delete(name)
            storage.delete(folder)


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

    silent_since = timezone.now() - timedelta(seconds=settings.CLASSIFIERS_WORKER_TIMEOUT)
    tasks = DBTaskResult.objects.filter(finished_at=None, task_path=detect.module_path)
    queued = {arguments["args"][0] for arguments in tasks.values_list("args_kwargs", flat=True)}
    lost = Detection.objects.filter(
        state__in=Detection.UNFINISHED, created_at__lt=silent_since
    ).exclude(pk__in=queued)
    for pk in lost.values_list("pk", flat=True):
        detect.enqueue(str(pk))
