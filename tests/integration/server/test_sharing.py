"""One detection of many images, shared by workers, one of which is killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_tasks_db.models import DBTaskResult
from PIL import Image
from tests.clips import portrait
from tests.integration.server.helpers import child_environment, upload_released, wait_until

from classifiers.models import Worker
from mesonet_site.api.models import Detection, Total
from mesonet_site.api.tasks import detect

pytestmark = pytest.mark.django_db(transaction=True)

IMAGES = 40


@pytest.fixture
def workers(
    transactional_db: None, settings: Any, home: Path
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    upload_released("meso4")
    command = [sys.executable, "-m", "mesonet_site", "run_worker", "--interval", "0.1"]
    environment = child_environment(home, WORKER_TIMEOUT="2")
    running = {
        name: subprocess.Popen([*command, "--worker-id", name], env=environment)
        for name in ("first", "second")
    }
    yield running
    for worker in running.values():
        worker.kill()
        worker.wait()


@pytest.mark.slow  # two processes, and faces to find
def test_a_killed_worker_loses_and_doubles_nothing(
    workers: dict[str, subprocess.Popen[bytes]], home: Path
) -> None:
    wait_until(lambda: Worker.objects.count() == 2, 300)
    file = BytesIO()
    Image.fromarray(portrait(256)).save(file, "PNG")
    images = [SimpleUploadedFile(f"{n}.png", file.getvalue()) for n in range(IMAGES)]
    answer = Client().post("/api/v1/detections", {"image": images})
    assert answer.status_code == 202
    parts = DBTaskResult.objects.filter(task_path=detect.module_path)
    assert parts.count() == IMAGES / 8

    def first_works() -> bool:
        running = parts.filter(status="RUNNING").values_list("worker_ids", flat=True)
        return any(ids[-1] == "first" for ids in running)

    wait_until(first_works, 300)
    workers["first"].send_signal(signal.SIGKILL)
    wait_until(lambda: Detection.objects.get().state == "done", 600)

    detection = Detection.objects.get()
    assert [record["path"] for record in detection.results] == [f"{n}.png" for n in range(IMAGES)]
    assert len({record["fake_probability"] for record in detection.results}) == 1
    assert detection.results[0]["fake_probability"] is not None
    assert detection.processed == Total.of("images") == IMAGES
    wait_until(lambda: parts.filter(status="SUCCESSFUL").count() == IMAGES / 8)
    ids = [worker for one in parts.values_list("worker_ids", flat=True) for worker in one]
    assert {"first", "second"} == set(ids)
    assert len(ids) > IMAGES / 8  # what was killed was done again
    wait_until(lambda: list((home / "uploads").iterdir()) == [])
