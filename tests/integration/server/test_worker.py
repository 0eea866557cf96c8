"""Measuring in the background, also when the worker dies."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from tests.integration.server.helpers import Attempt, child_environment, upload, wait_until

from classifiers.management.commands import run_worker
from classifiers.management.commands.run_worker import recover
from classifiers.models import MLModel, Worker
from classifiers.tasks import MAX_ATTEMPTS, measure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def timeout(queue: None, settings: Any) -> None:
    settings.CLASSIFIERS_WORKER_TIMEOUT = 60


@pytest.fixture
def workers(home: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for worker in started:
        worker.kill()
        worker.wait()


STUCK = """
import runpy, time
from mesonet.detector import Detector

predict = Detector.predict

def stuck(*arguments, **options):
    for number, verdict in enumerate(predict(*arguments, **options)):
        yield verdict
        time.sleep(1 if number < 3 else 600)

Detector.predict = stuck
runpy.run_module("mesonet_site", run_name="__main__")
"""
"""A worker that gets stuck after a few images."""


def start_worker(home: Path, *, stuck: bool) -> subprocess.Popen[bytes]:
    program = ["-c", STUCK] if stuck else ["-m", "mesonet_site"]
    command = [sys.executable, *program, "run_worker", "--interval", "0.2"]
    return subprocess.Popen(command, env=child_environment(home, WORKER_TIMEOUT="5"))


def state(model: MLModel) -> str:
    model.refresh_from_db()
    return model.state


def test_saving_returns_at_once(dataset: Path, model_file: Path) -> None:
    model = upload(model_file)

    assert model.state == "waiting"
    assert model.accuracy is None
    assert not model.usable
    assert DBTaskResult.objects.ready().count() == 1


@pytest.mark.slow
def test_a_worker_that_is_killed_twice(
    home: Path, dataset: Path, model_file: Path, workers: list[subprocess.Popen[bytes]]
) -> None:
    model = upload(model_file)

    for _ in range(2):
        MLModel.objects.update(progress=0)
        workers.append(start_worker(home, stuck=True))
        wait_until(lambda: state(model) == "running" and model.progress > 0)
        workers[-1].send_signal(signal.SIGKILL)
        workers[-1].wait()
        assert state(model) == "running"
        assert model.accuracy is None
        assert model.clr is None

    workers.append(start_worker(home, stuck=False))
    wait_until(lambda: state(model) == "done")
    assert model.accuracy is not None
    assert [row[-1] for row in model.clr["rows"][:2]] == [10, 10]
    wait_until(lambda: DBTaskResult.objects.successful().count() == 1)
    assert DBTaskResult.objects.get().worker_ids != []

    workers[-1].terminate()
    assert workers[-1].wait(300) == 0
    assert not Worker.objects.exists()


def claimed_task(model: MLModel) -> DBTaskResult:
    task = DBTaskResult.objects.get()
    task.claim("gone")
    DBTaskResult.objects.update(started_at=timezone.now() - timezone.timedelta(hours=1))
    return task


def test_tasks_of_a_worker_that_lives_are_left_alone(dataset: Path, model_file: Path) -> None:
    claimed_task(upload(model_file))
    Worker.objects.create(worker_id="gone", seen_at=timezone.now())

    recover()

    assert DBTaskResult.objects.get().status == "RUNNING"


def test_tasks_of_a_dead_worker_run_again(dataset: Path, model_file: Path) -> None:
    claimed_task(upload(model_file))

    recover()

    assert DBTaskResult.objects.get().status == "READY"


def test_the_worker_outlasts_a_database_that_fails(
    dataset: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(model_file)
    starts: list[str] = []

    def handle(*_: Any, worker_id: str, **__: Any) -> None:
        starts.append(DBTaskResult.objects.get().status)
        if len(starts) == 1:
            DBTaskResult.objects.get().claim(worker_id)
            raise OperationalError("database is locked")

    monkeypatch.setattr(run_worker.DatabaseWorker, "handle", handle)
    monkeypatch.setattr(run_worker, "_SECONDS_TO_RECOVER", 0)
    run_worker.Command().handle(worker_id="one")
    assert starts == ["READY", "READY"]


def test_a_model_whose_task_was_lost_is_queued(dataset: Path, model_file: Path) -> None:
    model = upload(model_file)
    DBTaskResult.objects.all().delete()
    recover()
    assert not DBTaskResult.objects.exists()

    MLModel.objects.update(uploaded_at=timezone.now() - timezone.timedelta(hours=1))
    recover()
    recover()

    assert DBTaskResult.objects.get().args_kwargs["args"] == [str(model.pk)]


def test_it_is_given_up_in_the_end(dataset: Path, model_file: Path) -> None:
    model = upload(model_file)

    measure.func(Attempt(MAX_ATTEMPTS + 1), str(model.pk))

    assert state(model) == "failed"
    assert model.message == f"Measuring it broke off {MAX_ATTEMPTS} times."


def test_figures_of_a_file_that_was_replaced_are_not_written(
    dataset: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from classifiers import tasks

    model = upload(model_file)
    original = tasks._figures

    def replaced_meanwhile(*arguments: Any) -> dict[str, Any]:
        MLModel.objects.update(model_hash="another")
        return original(*arguments)

    monkeypatch.setattr(tasks, "_figures", replaced_meanwhile)
    measure.func(Attempt(1), str(model.pk))

    model.refresh_from_db()
    assert model.accuracy is None
    assert model.state == "running"


def test_an_unexpected_error_is_shown(
    dataset: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from classifiers import tasks

    def broken(*_: Any) -> None:
        raise RuntimeError("secret detail")

    model = upload(model_file)
    monkeypatch.setattr(tasks, "_figures", broken)
    with pytest.raises(RuntimeError):
        measure.func(Attempt(1), str(model.pk))

    assert state(model) == "failed"
    assert model.message == "Measuring it failed; the worker's log says why."
