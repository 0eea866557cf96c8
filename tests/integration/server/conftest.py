import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("django", reason="the server's packages are not installed")

os.environ["DJANGO_SETTINGS_MODULE"] = "mesonet_site.settings"
HOME = tempfile.mkdtemp(prefix="mesonet-tests-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
Path(HOME, "static").mkdir()
os.environ["MESONET_HOME"] = HOME
os.environ.setdefault("SECRET_KEY", "only for tests " * 4)
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django

django.setup()

from django.db import connection

if connection.vendor == "sqlite":  # a file can be shared with other processes
    connection.settings_dict["TEST"]["NAME"] = f"{HOME}/test.sqlite3"

from django.contrib.auth.models import User
from django.core.cache import cache
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient
from tests.integration.server.helpers import SIZE, picture, upload, upload_released
from tests.integration.server.live import Server

from classifiers.models import MLModel


@pytest.fixture(scope="session")
def model_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two small networks, by name."""
    from mesonet.architectures import create_model
    from mesonet.backend import keras
    from mesonet.model_file import save_model
    from mesonet.model_info import ModelInfo
    from mesonet.preprocessing import Preprocessing

    folder = tmp_path_factory.mktemp("models")
    files = {}
    for seed, name in enumerate(("one", "two")):
        keras.utils.set_random_seed(seed)
        model = create_model("meso4", size=SIZE)
        # spread the scores, which would all be close to one half
        kernel, bias = model.layers[-1].get_weights()
        model.layers[-1].set_weights([kernel * 5, bias])
        files[name] = folder / f"{name}.h5"
        save_model(model, files[name], ModelInfo("meso4", Preprocessing(size=SIZE)))
    return files


@pytest.fixture(scope="session")
def model_file(model_files: dict[str, Path]) -> Path:
    return model_files["one"]


@pytest.fixture(scope="session")
def calibrated_file(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that knows its limits: of `picture` 0 to 2, the middle one is uncertain."""
    from mesonet.detector import Detector
    from mesonet.model_file import save_model
    from mesonet.model_info import Calibration

    detector = Detector.load(model_file)
    calibration = Calibration(0.5, 0.3)
    raw = [verdict.raw_score for verdict in detector.predict([picture(seed) for seed in range(3)])]
    low, middle, high = np.sort(calibration.apply(np.array(raw)))
    info = replace(
        detector.info,
        calibration=calibration,
        threshold=float(middle),
        band=(float(low + middle) / 2, float(middle + high) / 2),
        error_rate=0.05,
    )
    path = tmp_path_factory.mktemp("calibrated") / "calibrated.h5"
    save_model(detector.network, path, info)
    return path


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    """Folders of its own for each test, and no worker."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MODEL_FOLDER = tmp_path / "ml_models"
    settings.DATA_ROOT = settings.MEDIA_ROOT / "data"
    settings.UPLOAD_FOLDER = tmp_path / "uploads"
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
    settings.CLASSIFIERS_LOAD_SECONDS = settings.CLASSIFIERS_DRAW_SECONDS = 0
    cache.clear()
    return tmp_path


@pytest.fixture
def queue(settings: Any) -> None:
    """Tasks wait in the database, as they do where there is a worker."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


@pytest.fixture
def dataset(home: Path) -> Path:
    """Ten images of each class."""
    root = home / "media" / "data"
    for label, name in enumerate(("df", "real")):
        (root / name).mkdir(parents=True)
        for index in range(10):
            (root / name / f"{name}_{index}.png").write_bytes(picture(100 * label + index))
    return root


@pytest.fixture
def model(transactional_db: None, dataset: Path, model_file: Path) -> MLModel:
    """A measured model."""
    return upload(model_file)


@pytest.fixture
def client() -> APIClient:
    """An anonymous client."""
    return APIClient()


@pytest.fixture
def staff(db: None) -> APIClient:
    """A client of a member of staff."""
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("staff", password="secret"))
    return client


@pytest.fixture
def server(transactional_db: None, dataset: Path, home: Path) -> Iterator[Server]:
    """A web server process on the database of the test, with a model that starts without Keras."""
    upload_released("meso4")
    MLModel.objects.update(conv_layers=[[8, [3, 3]], [8, [5, 5]], [16, [5, 5]], [16, [5, 5]]])
    token = Token.objects.create(user=User.objects.create_superuser("admin"))
    server = Server(home, token.key)
    status, _ = server.detect(picture(0))
    assert status == 201
    yield server
    server.process.terminate()
    server.process.wait()
