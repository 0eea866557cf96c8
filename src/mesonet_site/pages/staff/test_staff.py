"""What staff can do, and others cannot."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from classifiers.models import MLModel
from mesonet_site.api.models import Detection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(django_user_model: type) -> Client:
    client = Client()
    client.force_login(django_user_model.objects.create_user("grace", is_staff=True))
    return client


def upload(client: Client, name: str, content: bytes) -> object:
    form = {"name": name, "description": "small", "file": SimpleUploadedFile("a.h5", content)}
    return client.post("/staff/", form)


def test_others_are_asked_to_sign_in(model: MLModel) -> None:
    for client in (Client(), Client()):
        assert client.get("/staff/").headers["Location"] == "/sign-in/?next=/staff/"
        assert client.post(f"/staff/models/{model.pk}/delete/").status_code == 302
    assert MLModel.objects.exists()


def test_a_model_is_uploaded_measured_and_deleted(
    client: Client, dataset: Path, model_file: Path
) -> None:
    answer = upload(client, "Mine", model_file.read_bytes())
    model = MLModel.objects.get()
    assert answer.headers["Location"] == f"/models/{model.pk}/"
    assert "are called right" in client.get(answer.headers["Location"]).content.decode()
    assert client.post(f"/staff/models/{model.pk}/measure/").status_code == 302
    page = client.post(f"/staff/models/{model.pk}/delete/", follow=True).content.decode()
    assert "The model is deleted." in page
    assert not MLModel.objects.exists()


def test_a_refusal_is_told_by_field(client: Client, model: MLModel) -> None:
    answer = upload(client, "Model 1", b"no model")
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "Name: <span" in page
    assert "Model file: <span" in page
    assert 'value="Model 1"' in page
    assert MLModel.objects.count() == 1


def test_queue_and_failures(client: Client, model: MLModel) -> None:
    common = {"model": model, "model_name": "Model 1", "threshold": 0.5, "images": 3}
    Detection.objects.create(state="waiting", **common)
    Detection.objects.create(state="failed", message="the model was deleted", **common)
    page = client.get("/staff/").content.decode()
    assert "Checks that wait or run (1)" in page
    assert "0 / 3" in page
    assert "the model was deleted" in page
    assert "No worker is running" in page
