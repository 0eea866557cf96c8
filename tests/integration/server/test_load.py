"""What the server does when more is asked of it than it can do."""

import errno
import os
import secrets
import sqlite3
import threading
import time
import uuid
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from PIL import Image
from rest_framework.test import APIClient
from tests.clips import portrait
from tests.integration.server.helpers import Attempt, picture, upload_released, wait_until

from classifiers.models import MLModel
from mesonet_site.api import tasks, views
from mesonet_site.api.models import Detection
from mesonet_site.api.tasks import clean_up, drop_stray_models

pytestmark = pytest.mark.django_db(transaction=True)


def detect(client: Client | None = None) -> Any:
    image = SimpleUploadedFile("face.png", picture(0))
    return (client or Client()).post("/api/v1/detections", {"image": image, "faces": "whole"})


def patient_client() -> Client:
    client = Client(raise_request_exception=False)
    client.get("/api/v1/livez")  # makes the middleware, once
    return client


@pytest.fixture
def entered() -> threading.Event:
    """Set as soon as a picture is being scored."""
    return threading.Event()


@pytest.fixture
def stuck(model: MLModel, entered: threading.Event, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Scoring waits for this event."""
    event = threading.Event()

    def score(*_: Any) -> None:
        entered.set()
        event.wait(120)
        raise RuntimeError

    monkeypatch.setattr(views, "score", score)
    yield event
    event.set()


def test_what_has_no_room_is_told_to_come_back(settings: Any, stuck: threading.Event) -> None:
    settings.SCORE_AT_ONCE, settings.SCORE_WAITING, settings.SCORE_WAIT_SECONDS = 1, 1, 120
    client = patient_client()
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(detect(client))) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(answers) == 2)

    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert client.get("/api/v1/livez").status_code == 200
    assert client.get("/api/v1/models").status_code == 200
    stuck.set()
    for thread in threads:
        thread.join(60)
    assert sorted(answer.status_code for answer in answers) == [500, 500, 503, 503]


def test_a_turn_that_does_not_come_in_time(
    settings: Any, stuck: threading.Event, entered: threading.Event
) -> None:
    settings.SCORE_AT_ONCE, settings.SCORE_WAITING, settings.SCORE_WAIT_SECONDS = 1, 5, 0.2
    client = patient_client()
    first = threading.Thread(target=detect, args=(client,))
    first.start()
    assert entered.wait(60)
    assert detect(client).status_code == 503
    stuck.set()
    first.join(60)
    assert detect(client).status_code == 500


# What waits in the background


def send_many(client: Any, count: int = 9) -> Any:
    images = [SimpleUploadedFile("face.png", picture(0)) for _ in range(count)]
    return client.post("/api/v1/detections", {"image": images, "faces": "whole"})


@pytest.mark.parametrize("ceiling", ["MAX_JOBS", "MAX_STORED_BYTES"])
def test_the_queue_has_a_ceiling(
    settings: Any, model: MLModel, queue: None, home: Path, ceiling: str
) -> None:
    settings.MAX_JOBS, settings.MAX_STORED_BYTES = 200, 1 << 30
    setattr(settings, ceiling, {"MAX_JOBS": 3, "MAX_STORED_BYTES": 30 * len(picture(0))}[ceiling])
    user = APIClient()
    user.force_authenticate(User.objects.create_user("user"))

    first, refused = send_many(Client()), send_many(Client())
    assert first.status_code == 202
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "60"
    assert len(list((home / "uploads").iterdir())) == 1
    assert send_many(user).status_code == 202  # the other half is theirs

    for job in Detection.objects.all():
        job.drop_images()
    Detection.objects.update(state=Detection.State.DONE)
    assert send_many(Client()).status_code == 202


# Disks that are full, and databases that are locked


def full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_no_images_behind(
    model: MLModel, queue: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Detection, "save", full_disk)
    answer = send_many(Client())
    assert answer.status_code == 507
    assert answer.headers["Retry-After"] == "60"
    assert "no room" in answer.json()["detail"]
    assert list((home / "uploads").iterdir()) == []

    monkeypatch.undo()
    stored = FileSystemStorage._save

    def full_later(storage: Any, name: str, content: Any) -> str:
        return full_disk() if name.endswith("5") else stored(storage, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", full_later)
    assert send_many(Client()).status_code == 507
    assert list((home / "uploads").iterdir()) == []


def test_a_full_disk_leaves_no_pictures_behind(
    db: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_released("meso4")
    photo = BytesIO()
    Image.fromarray(portrait(256)).save(photo, "PNG")

    def check() -> Any:
        image = SimpleUploadedFile("photo.png", photo.getvalue())
        return Client().post("/api/v1/detections", {"image": image})

    kept = check().json()["results"][0]["pictures"]
    assert kept["crops"]["1"].endswith("-person-1.jpg")
    folders = set((home / "media" / "faces").iterdir())
    monkeypatch.setattr(Detection, "save", full_disk)
    assert check().status_code == 507
    assert set((home / "media" / "faces").iterdir()) == folders


def test_a_job_outlasts_a_full_disk(
    db: None, queue: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_released("meso4")
    job = Detection.objects.get(pk=send_many(Client()).json()["id"])
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "score", full_disk)
        with pytest.raises(OSError, match="No space"):
            tasks.detect.func(Attempt(1), str(job.pk), 0)
    for first in (0, 8):
        tasks.detect.func(Attempt(1), str(job.pk), first)
    job.refresh_from_db()
    assert (job.state, job.processed, job.message) == ("done", 9, "")


def test_a_job_whose_worker_was_killed_at_its_end_leaves_no_images(db: None, home: Path) -> None:
    ended = {"state": "done", "images": 1, "stored_bytes": 5}
    job = Detection.objects.create(model_name="-", threshold=0.5, **ended)
    job.keep_images([SimpleUploadedFile("face.png", b"image")])
    tasks.detect.func(Attempt(2), str(job.pk), 0)
    assert list((home / "uploads").iterdir()) == []


def test_images_without_a_detection_are_swept_up(db: None, queue: None, home: Path) -> None:
    upload_released("meso4")
    kept = send_many(Client()).json()["id"]
    old, new = (home / "uploads" / str(uuid.uuid4()) for _ in range(2))
    pictures = home / "media" / "faces" / secrets.token_urlsafe()
    for folder, age in ((old, 7200), (new, 0), (pictures, 7200)):
        folder.mkdir(parents=True)
        (folder / "0").write_bytes(b"image")
        os.utime(folder / "0", (time.time() - age, time.time() - age))
    (home / "uploads" / "other").mkdir()
    done = send_many(Client()).json()["id"]  # and its worker was killed at the last moment
    Detection.objects.filter(pk=done).update(state=Detection.State.DONE)
    for job in (kept, done):
        for path in (home / "uploads" / job).iterdir():
            os.utime(path, (time.time() - 7200, time.time() - 7200))

    clean_up()

    assert {path.name for path in (home / "uploads").iterdir()} == {kept, new.name, "other"}
    assert not pictures.exists()


def test_model_files_without_a_row_are_swept_up(model: MLModel, home: Path) -> None:
    folder = home / "ml_models" / MLModel.root
    for name, age in (("old.h5", 7200), ("new.h5", 0), ("standard.keras", 0)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age, time.time() - age))

    clean_up()
    assert {path.name for path in folder.iterdir()} == {"model_1.h5", "new.h5", "standard.keras"}
    drop_stray_models("standard")
    assert {path.name for path in folder.iterdir()} == {"model_1.h5", "new.h5"}


def test_a_locked_database(model: MLModel, client: APIClient) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite locks all of it")
    connection.close()
    connection.settings_dict["OPTIONS"]["timeout"] = 1
    try:
        with sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            ready = client.get("/api/v1/readyz")
            answer = detect(Client(raise_request_exception=False))
            other.execute("ROLLBACK")
        other.close()
    finally:
        connection.settings_dict["OPTIONS"]["timeout"] = 20
        connection.close()
    assert ready.status_code == 503
    assert ready.headers["Retry-After"] == "5"
    assert ready.json()["checks"]["database"] == "failed: OperationalError"
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


def test_storage_that_cannot_be_written(
    model: MLModel, client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileSystemStorage, "_save", full_disk)
    answer = client.get("/api/v1/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["storage"] == "failed: OSError"
