"""Checking by the page, with a small model and without a browser."""

import re
from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.clips import write_clip
from tests.integration.server.helpers import picture

from classifiers.models import MLModel
from mesonet_site.api import views
from mesonet_site.api.models import Detection
from mesonet_site.api.problems import Busy

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=False)


def send(client: Client, *files: tuple[str, bytes], **more: object) -> object:
    uploads = [SimpleUploadedFile(name, content) for name, content in files]
    return client.post("/", {"image": uploads}, **more)


def test_a_form_leads_to_a_result(client: Client, model: MLModel) -> None:
    answer = send(client, ("a face.png", picture(0)))
    detection = Detection.objects.get()
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/checks/{detection.id}/"
    page = client.get(answer.headers["Location"]).content.decode()
    assert "a face.png" in page
    assert "This page keeps its address until" in page
    assert 'http-equiv="refresh"' not in page


def test_a_refusal_says_when_to_try_again(
    client: Client, model: MLModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise Busy(wait=7)

    monkeypatch.setattr(views, "_choose_model", busy)
    for headers in ({}, {"HX-Request": "true"}):
        answer = send(client, ("face.png", picture(0)), headers=headers)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "7"
        assert "more to do than it can" in answer.content.decode()


def test_nothing_is_sent(client: Client, model: MLModel) -> None:
    answer = client.post("/")
    assert answer.status_code == 400
    assert "No file was chosen." in answer.content.decode()
    answer = client.post("/", headers={"accept-language": "es"})
    assert "No se eligió ningún archivo." in answer.content.decode()


@pytest.mark.parametrize(
    ("content", "limits", "sentence"),
    [
        (b"no picture", {}, "read: it is neither a photograph nor a clip. Send a photograph"),
        (b"", {}, "read: it is empty. Send a photograph"),
        (picture(0)[:-900], {}, "read: it breaks off. Send a photograph"),
        (picture(0), {"MAX_IMAGE_PIXELS": 9}, "and at most 9 are taken. Send a smaller copy of it"),
    ],
)
def test_what_cannot_be_used_and_what_to_do(
    client: Client, model: MLModel, settings: object, content: bytes, limits: object, sentence: str
) -> None:
    for name, value in limits.items():
        setattr(settings, name, value)
    answer = send(client, ("face.png", content))
    assert answer.status_code == 400
    page = answer.content.decode()
    assert sentence in page
    assert '<span lang="en">' not in page
    spanish = send(client, ("face.png", content), headers={"accept-language": "es"})
    assert "El archivo no se" in spanish.content.decode()
    assert '<span lang="en">' not in spanish.content.decode()


def test_a_clip_that_is_too_long(
    client: Client, model: MLModel, settings: object, tmp_path: Path
) -> None:
    settings.MAX_CLIP_SECONDS = 0
    frames = [np.full((32, 32, 3), shade, np.uint8) for shade in (0, 99, 200)]
    write_clip(tmp_path / "clip.mp4", frames)
    answer = send(client, ("clip.mp4", (tmp_path / "clip.mp4").read_bytes()))
    assert "it is longer than 0 seconds. Send a shorter part of it." in answer.content.decode()


def test_no_model(client: Client) -> None:
    answer = send(client, ("face.png", picture(0)))
    assert answer.status_code == 409
    assert "still preparing its model" in answer.content.decode()


def test_too_large(client: Client, model: MLModel, settings: object) -> None:
    settings.MAX_IMAGE_BYTES = settings.MAX_CLIP_BYTES = 100
    answer = send(client, ("face.png", picture(0)), headers={"HX-Request": "true"})
    assert answer.status_code == 413
    assert re.search(r"too large: photographs may have 100\sbytes", answer.content.decode())


def test_only_for_those_who_signed_in(client: Client, model: MLModel, settings: object) -> None:
    settings.ANONYMOUS_DETECTION = False
    assert "<form id=" not in client.get("/").content.decode()
    assert send(client, ("face.png", picture(0))).status_code in (401, 403)


def test_a_check_of_somebody_else_is_not_shown(
    client: Client, model: MLModel, django_user_model: type
) -> None:
    ada = django_user_model.objects.create_user("ada")
    client.force_login(ada)
    send(client, ("face.png", picture(0)))
    address = f"/checks/{Detection.objects.get().id}/"
    assert client.get(address).status_code == 200
    assert Client().get(address).status_code == 404
    assert Client().get(f"{address}record.json").status_code == 404
    Client().post(f"{address}delete/")
    assert Detection.objects.exists()


def test_record_and_deleting(client: Client, model: MLModel) -> None:
    address = send(client, ("face.png", picture(0))).headers["Location"]
    record = client.get(f"{address}record.json")
    assert "attachment" in record.headers["Content-Disposition"]
    assert len(record.json()["results"]) == 1
    answer = client.post(f"{address}delete/", follow=True)
    assert "deleted" in answer.content.decode()
    assert not Detection.objects.exists()
    assert client.get(address).status_code == 404


def test_a_check_that_was_stopped_or_failed_says_so_in_the_list(
    client: Client, model: MLModel
) -> None:
    told = {
        ("cancelled", ""): "El análisis se detuvo",
        ("failed", "the model was deleted"): "el modelo se borró",
        ("failed", "the model is odd"): '<span lang="en">the model is odd</span>',
    }
    for (state, message), sentence in told.items():
        detection = Detection.objects.create(
            model=model, threshold=0.5, images=1, state=state, message=message
        )
        spanish = {"accept-language": "es"}
        for page in ("row/", ""):
            answer = client.get(f"/checks/{detection.id}/{page}", headers=spanish)
            assert sentence in answer.content.decode()


def test_forms_of_other_sites_are_refused(model: MLModel) -> None:
    answer = send(Client(enforce_csrf_checks=True), ("face.png", picture(0)))
    assert answer.status_code == 403


def test_waiting_without_a_worker_is_said(client: Client, model: MLModel, settings: object) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    settings.SYNC_IMAGES = 0
    address = send(client, ("face.png", picture(0))).headers["Location"]
    page = client.get(address).content.decode()
    assert 'http-equiv="refresh"' in page
    assert "The worker that checks files is not running." in page
    assert 'hx-trigger="every 2s"' in client.get(f"{address}row/").content.decode()
