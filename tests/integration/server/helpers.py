"""What several tests of the server need."""

import os
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from django.core.files import File
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django_tasks_db.models import DBTaskResult
from PIL import Image
from rest_framework.test import APIClient

from classifiers.models import MLModel
from mesonet.weights import released

SIZE = 32
URL = "/api/v1/detections"


def picture(seed: int, size: int = 40, kind: str = "PNG") -> bytes:
    """A random picture, encoded."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def image(seed: int = 0, name: str = "face.png", content: bytes | None = None) -> Any:
    """An upload of a random picture, or of other content."""
    return SimpleUploadedFile(name, picture(seed) if content is None else content)


def post(client: APIClient, *images: Any, **fields: Any) -> Any:
    """Have images scored as they are."""
    fields = {"faces": "whole"} | fields
    return client.post(URL, {"image": images or [image()], **fields}, format="multipart")


def upload(path: Path, name: str = "Model 1") -> MLModel:
    """Save a new model, as an upload does."""
    with path.open("rb") as file:
        model = MLModel(model_name=name, model_desc="small", model_file=File(file, path.name))
        model.save()
    return model


def upload_released(name: str) -> MLModel:
    """A released model as a worker has measured it, which needs no Keras."""
    found = released(name)
    assert found is not None
    model = MLModel(model_name=name, model_desc="-")
    with found.path.open("rb") as file, mock.patch.object(MLModel, "measure"):
        model.model_file = File(file, found.path.name)
        model.save()
    model.state, model.conv_layers, model.info = "done", [], found.info.to_dict()
    model.save()
    return model


def child_environment(home: Path, **more: str) -> dict[str, str]:
    """Environment of a process that shares the test's database and folders."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        user, host = f"{database['USER']}:{database['PASSWORD']}", database["HOST"]
        url = f"postgres://{user}@{host}:{database['PORT']}/{database['NAME']}"
    return os.environ | {"MESONET_HOME": str(home), "DATABASE_URL": url} | more


def wait_until(condition: Callable[[], object], seconds: float = 300) -> None:
    """Wait, and fail when it takes too long."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it took too long"
        time.sleep(0.05)


class Attempt:
    """The context of a task's attempt."""

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt


def run_queued(task: Any) -> None:
    """Run the one task of its kind that waits in the database, as a worker does."""
    queued = DBTaskResult.objects.get(task_path=task.module_path)
    task.func(Attempt(1), *queued.args_kwargs["args"])
