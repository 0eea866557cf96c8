"""A background worker that also takes up the work of workers that died."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import OperationalError, close_old_connections, connection, transaction
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Command as DatabaseWorker
from django_tasks_db.models import DBTaskResult

from classifiers import conf
from classifiers.models import MLModel, Worker
from classifiers.signals import worker_alive
from classifiers.tasks import measure

logger = logging.getLogger(__name__)

_SECONDS_TO_RECOVER = 5
_UNFINISHED = (TaskResultStatus.READY, TaskResultStatus.RUNNING)


class Command(DatabaseWorker):
    """Run tasks as ``db_worker`` does, with a sign of life in the database.

    Tasks of a worker whose signs have stopped are put back into the queue.
    """

    help = "Run background tasks, and those that a dead worker has left"

    def handle(self, *, worker_id: str, **options: Any) -> None:
        """Work until stopped."""
        stopped = threading.Event()
        Worker.objects.create(worker_id=worker_id, seen_at=timezone.now())
        pulse = threading.Thread(target=_live, args=(worker_id, stopped), daemon=True)
        pulse.start()
        try:
            while True:
                try:
                    _put_back(lambda task: task.worker_ids[-1] == worker_id)
                    return super().handle(worker_id=worker_id, **options)
                except OperationalError as error:  # locked, full, or gone for a while
                    logger.error("the database cannot be used: %s", error)
                    close_old_connections()
                    stopped.wait(_SECONDS_TO_RECOVER)
        finally:
            stopped.set()
            pulse.join()
            Worker.objects.filter(worker_id=worker_id).delete()


def _live(worker_id: str, stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            close_old_connections()
            Worker.objects.update_or_create(
                worker_id=worker_id, defaults={"seen_at": timezone.now()}
            )
            recover()
            worker_alive.send(Worker)
        except OperationalError as error:
            logger.error("the worker could not give a sign of life: %s", error)
        except Exception:
            logger.exception("the worker could not give a sign of life")
        stopped.wait(conf.worker_timeout() / 4)
    connection.close()


def _put_back(is_left: Callable[[DBTaskResult], bool]) -> None:
    """Queue running tasks again that nobody works on any more."""
    with transaction.atomic():
        for task in DBTaskResult.objects.running().select_for_update(skip_locked=True):
            if is_left(task):
                logger.warning("task %s is run again", task.id)
                task.status = TaskResultStatus.READY
                task.save(update_fields=["status"])


def recover() -> None:
    """Put back the tasks of dead workers, and queue models whose task was lost."""
    silent_since = timezone.now() - timedelta(seconds=conf.worker_timeout())
    with transaction.atomic():
        Worker.objects.filter(seen_at__lt=silent_since).delete()
        alive = set(Worker.objects.values_list("worker_id", flat=True))
        _put_back(lambda task: task.started_at < silent_since and task.worker_ids[-1] not in alive)
    unfinished = DBTaskResult.objects.filter(
        status__in=_UNFINISHED, task_path=measure.module_path
    ).values_list("args_kwargs", flat=True)
    queued = {arguments["args"][0] for arguments in unfinished}
    lost = MLModel.objects.filter(
        state__in=(MLModel.State.WAITING, MLModel.State.RUNNING), uploaded_at__lt=silent_since
    )
    for model in lost.exclude(pk__in=queued):
        model.measure()
