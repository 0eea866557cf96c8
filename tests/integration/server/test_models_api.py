"""Models by the API and the admin."""

import gc
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient
from tests.integration.server.helpers import picture, upload

from classifiers import loading
from classifiers.models import MLModel
from mesonet_site.api.models import Detection

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/models"


def form(model_file: Path, **more: Any) -> dict[str, Any]:
    file = SimpleUploadedFile("../../evil/x.h5", model_file.read_bytes())
    return {"name": "Model 1", "description": "small", "file": file, **more}


def test_upload_read_delete(
    staff: APIClient, client: APIClient, model_file: Path, dataset: Path, home: Path
) -> None:
    curve = SimpleUploadedFile("curve.png", picture(0))
    answer = staff.post(URL, form(model_file, loss_curve=curve), format="multipart")
    assert answer.status_code == 201, answer.json()
    created = answer.json()
    assert "file" not in created
    assert [path.name for path in (home / "ml_models").rglob("*.h5")] == ["model_1.h5"]

    model = client.get(answer["Location"]).json()
    assert model["state"] == "done"
    assert model["usable"]
    assert model["accuracy"] == MLModel.objects.get().accuracy
    assert model["layers"][0] == [8, [3, 3]]
    assert model["report"]["columns"][1] == "precision"
    assert client.get(model["loss_curve"]).status_code == 200
    assert client.get(URL).json()["results"] == [model]

    assert staff.delete(f"{URL}/{model['id']}").status_code == 204
    assert client.get(f"{URL}/{model['id']}").status_code == 404
    assert not list((home / "ml_models").rglob("*.h5"))


def test_only_staff_may_change(client: APIClient, model: MLModel, model_file: Path) -> None:
    assert client.post(URL, form(model_file), format="multipart").status_code == 401
    assert client.delete(f"{URL}/{model.pk}").status_code == 401
    user = APIClient()
    user.force_authenticate(User.objects.create_user("user"))
    assert user.post(URL, form(model_file), format="multipart").status_code == 403
    assert user.delete(f"{URL}/{model.pk}").status_code == 403


def test_token_and_session(model_file: Path, dataset: Path) -> None:
    administrator = User.objects.create_superuser("admin", password="secret")
    token = APIClient(
        headers={"Authorization": f"Token {Token.objects.create(user=administrator)}"}
    )
    assert token.post(URL, form(model_file), format="multipart").status_code == 201

    session = APIClient(enforce_csrf_checks=True)
    session.force_login(administrator)
    answer = session.post(URL, form(model_file), format="multipart")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_a_name_that_is_taken(staff: APIClient, model: MLModel, model_file: Path) -> None:
    answer = staff.post(URL, form(model_file), format="multipart")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"pointer": "#/name", "detail": "There is a model of this name already."}
    ]


def test_a_model_file_that_is_too_large(
    staff: APIClient, model_file: Path, settings: Any, db: None
) -> None:
    settings.CLASSIFIERS_MAX_MODEL_BYTES = 1000
    answer = staff.post(URL, form(model_file), format="multipart")
    assert answer.status_code == 400
    assert "at most 1000\xa0bytes are allowed" in answer.json()["detail"]


def test_pages(client: APIClient, db: None) -> None:
    for index in range(105):
        MLModel.objects.bulk_create([MLModel(model_name=f"{index}", model_desc="-")])
    first = client.get(URL).json()
    assert first["count"] == 105
    assert len(first["results"]) == 20
    assert client.get(first["next"]).json()["results"][0]["name"] == "20"
    assert len(client.get(f"{URL}?page_size=1000").json()["results"]) == 100
    assert client.get(f"{URL}?page=9999").status_code == 404


@pytest.mark.parametrize("path", [URL, "/api/available-models/", "/api/v1/detections"])
def test_the_number_of_queries_is_constant(path: str, staff: APIClient, model: MLModel) -> None:
    counts = []
    for rows in (1, 30):
        MLModel.objects.bulk_create(
            [MLModel(model_name=f"{rows}-{i}", model_desc="-") for i in range(rows)]
        )
        Detection.objects.bulk_create(
            [Detection(model=model, model_name="m", threshold=0.5, images=1) for _ in range(rows)]
        )
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 2


def test_an_unchanged_list_is_not_sent_again(client: APIClient, model: MLModel) -> None:
    first = client.get(URL)
    again = client.get(URL, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304


# Admin


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def test_upload_by_the_admin(admin: Client, model_file: Path, dataset: Path) -> None:
    with model_file.open("rb") as file:
        fields = {"model_name": "Model 1", "model_desc": "small", "model_file": file}
        answer = admin.post("/admin/classifiers/mlmodel/add/", fields)
    assert answer.status_code == 302
    model = MLModel.objects.get()

    page = admin.get(f"/admin/classifiers/mlmodel/{model.pk}/change/").content.decode()
    assert str(model.accuracy) in page
    assert "<th>precision</th>" in page
    assert model.model_hash in page

    fields = {"model_name": "Model 1", "model_desc": "other"}
    answer = admin.post(f"/admin/classifiers/mlmodel/{model.pk}/change/", fields)
    assert answer.status_code == 302
    model.refresh_from_db()
    assert model.model_desc == "other"


def test_the_admin_refuses_what_is_no_model(admin: Client, dataset: Path) -> None:
    file = SimpleUploadedFile("x.h5", b"\x80\x04 pickle")
    fields = {"model_name": "Model 1", "model_desc": "small", "model_file": file}
    page = admin.post("/admin/classifiers/mlmodel/add/", fields).content.decode()
    assert "The model file is pickled Python, which is code" in page
    assert not MLModel.objects.exists()


def test_measuring_again(admin: Client, model: MLModel) -> None:
    MLModel.objects.update(accuracy=None)
    fields = {"action": "measure_again", "_selected_action": [str(model.pk)]}
    admin.post("/admin/classifiers/mlmodel/", fields)
    model.refresh_from_db()
    assert model.accuracy is not None


def test_lists_of_the_admin(admin: Client, model: MLModel) -> None:
    for page in ("classifiers/mlmodel", "mesonet_api/detection"):
        assert admin.get(f"/admin/{page}/").status_code == 200


class Elsewhere(Storage):
    """A storage without paths, as object storages are."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def _save(self, name: str, content: File[bytes]) -> str:
        self.files[name] = content.read()
        return name

    def _open(self, name: str, mode: str) -> ContentFile[bytes]:
        return ContentFile(self.files[name])

    def exists(self, name: str) -> bool:
        return name in self.files

    def delete(self, name: str) -> None:
        del self.files[name]


def test_models_in_a_storage_without_paths(
    home: Path, model_file: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MLModel._meta.get_field("model_file"), "storage", Elsewhere())
    loading._loaded.clear()
    model = upload(model_file)
    assert model.state == "done"
    copy = model.get_detector().scored_path
    assert copy.is_file()  # explanations read it later
    loading._loaded.clear()
    gc.unfreeze()
    gc.collect()
    assert not copy.exists()
