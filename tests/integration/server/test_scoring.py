"""Scoring one's own images by the API."""

import uuid
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from rest_framework.test import APIClient
from tests.integration.server.helpers import URL, image, picture, post, run_queued, upload

from classifiers import loading
from classifiers.models import MLModel
from mesonet.detector import Detector, Verdict
from mesonet.runtime import Runtime
from mesonet.weights import released
from mesonet.weights.fetching import encoder_file
from mesonet_site.api import tasks
from mesonet_site.api.management.commands import register_released
from mesonet_site.api.models import Detection

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_score_as_the_library(client: APIClient, model: MLModel, model_file: Path) -> None:
    expected = next(Detector.load(model_file).predict([picture(0)]))
    assert isinstance(expected, Verdict)

    answer = post(client)

    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert answer["Location"].endswith(f"{URL}/{body['id']}")
    assert {key: body[key] for key in ("state", "images", "processed", "progress", "model")} == {
        "state": "done",
        "images": 1,
        "processed": 1,
        "progress": 100,
        "model": "Model 1",
    }
    (result,) = body["results"]
    assert result["name"] == "face.png"
    assert result["fake_probability"] == pytest.approx(expected.fake_probability, abs=1e-4)
    assert result["label"] == expected.label
    assert client.get(answer["Location"]).json() == body


def test_a_score_that_is_no_number(
    client: APIClient, model: MLModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Detector, "raw_scores", lambda _, images: np.array([0.25, np.nan]))

    answer = post(client, image(0), image(1))

    first, second = answer.json()["results"]
    assert (first["raw_score"], first["error"]) == (0.25, None)
    assert (second["raw_score"], second["label"]) == (None, None)
    assert second["error"] == "the model gives no number for it"


def test_threshold_model_and_layers(
    client: APIClient, model: MLModel, model_files: dict[str, Path]
) -> None:
    upload(model_files["two"], "Model 2")

    by_name = post(client, model="Model 2", threshold="0", layers=["0", "3"]).json()
    by_id = post(client, model=str(model.pk), threshold="1").json()

    assert by_name["model"] == "Model 2"
    assert by_name["threshold"] == 0
    assert by_name["results"][0]["label"] == "deepfake"
    assert [url[-10:] for url in by_name["results"][0]["plots"]] == ["_conv0.png", "_conv3.png"]
    assert by_id["model"] == "Model 1"
    assert by_id["results"][0]["label"] == "real"


def test_a_calibrated_model_may_leave_it_open(
    client: APIClient, db: None, calibrated_file: Path
) -> None:
    detector = upload(calibrated_file).get_detector()
    expected = list(detector.predict([picture(seed) for seed in range(3)]))

    body = post(client, *map(image, range(3))).json()

    assert body["band"] == pytest.approx(detector.info.band)
    assert sorted(result["label"] for result in body["results"]) == [
        "deepfake",
        "real",
        "uncertain",
    ]
    for result, verdict in zip(body["results"], expected, strict=True):
        assert isinstance(verdict, Verdict)
        assert result["label"] == verdict.label
        for key in ("probability", "fake_probability", "raw_score"):
            assert result[key] == pytest.approx(getattr(verdict, key), abs=1e-4)
        assert result["raw_score"] != pytest.approx(result["fake_probability"], abs=1e-3)

    asked = post(client, *map(image, range(3)), threshold=str(body["threshold"])).json()
    assert asked["band"] is None
    assert {result["label"] for result in asked["results"]} == {"real", "deepfake"}


def test_a_band_is_kept_for_later(
    client: APIClient,
    db: None,
    calibrated_file: Path,
    settings: Any,
    request: pytest.FixtureRequest,
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
    upload(calibrated_file)
    now = post(client, *map(image, range(3))).json()
    settings.SYNC_IMAGES = 2
    request.getfixturevalue("queue")

    answer = post(client, *map(image, range(3)))

    assert answer.status_code == 202
    assert answer.json()["state"] == "waiting"
    run_queued(tasks.detect)
    later = client.get(answer["Location"]).json()
    assert later["state"] == "done"
    assert later["band"] == now["band"]
    labels = [result["label"] for result in later["results"]]
    assert labels == [result["label"] for result in now["results"]]


def test_results_from_before_there_were_raw_scores(client: APIClient, model: MLModel) -> None:
    answer = post(client)
    detection = Detection.objects.get()
    for result in detection.results:
        del result["raw_score"]
    detection.save()

    assert client.get(answer["Location"]).json()["results"][0]["raw_score"] is None


def test_some_images_cannot_be_read(client: APIClient, model: MLModel) -> None:
    answer = post(client, image(1), image(name="a.png", content=b"none"), image(2))

    first, second, third = answer.json()["results"]
    assert answer.status_code == 201
    assert first["label"]
    assert third["label"]
    assert second["label"] is None
    assert second["error"] == "not an image in a supported format, or a damaged one"


def test_no_image_can_be_read(client: APIClient, model: MLModel) -> None:
    answer = post(client, image(content=b"none"))

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "not an image in a supported format, or a damaged one",
        "errors": [
            {
                "pointer": "#/image/0",
                "detail": "not an image in a supported format, or a damaged one",
            }
        ],
    }


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"threshold": "1.5"}, "#/threshold"),
        ({"threshold": "nan"}, "#/threshold"),
        ({"layers": ["-1"]}, "#/layers/0"),
        ({"image": []}, "#/image"),
    ],
)
def test_mistakes(client: APIClient, model: MLModel, fields: dict[str, Any], pointer: str) -> None:
    answer = client.post(URL, {"image": [image()], **fields}, format="multipart")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    "fields",
    [
        {"layers": ["4"]},
        {"model": "none"},
        {"model": str(uuid.uuid4())},
        {"model": "/etc/passwd"},
        {"model": "trained_models/model_1.h5"},
    ],
)
def test_what_is_not_there(client: APIClient, model: MLModel, fields: dict[str, Any]) -> None:
    answer = post(client, **fields)
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("There is no ")


def test_without_a_model(client: APIClient, db: None) -> None:
    assert post(client).status_code == 409


def test_the_default_model(
    client: APIClient, model: MLModel, settings: Any, tmp_path: Path
) -> None:
    path = tmp_path / "x.h5"
    path.write_text("none")
    upload(path, "broken")
    assert post(client).json()["model"] == "Model 1"
    assert client.get("/api/v1/readyz").status_code == 200

    settings.DEFAULT_MODEL = "broken"  # another one is never taken in its place
    assert post(client).status_code == 409
    assert post(client, model="broken").status_code == 409
    assert client.get("/api/v1/readyz").json()["checks"]["model"] == "the model broken is not ready"

    settings.DEFAULT_MODEL = "missing"
    assert post(client).json()["detail"] == "The server has no model 'missing'."


def test_thorough_speaks_where_its_encoder_is(
    client: APIClient,
    model_file: Path,
    db: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sure(*_: Path) -> Runtime:
        return lambda images: np.full(len(images), 0.25, np.float32)

    monkeypatch.setenv("MESONET_CACHE", str(tmp_path))
    monkeypatch.setattr("mesonet.thorough.thorough_runtime", sure)
    thorough = released("thorough")
    monkeypatch.setattr(register_released, "list_released", lambda: [thorough])
    upload(model_file, "standard")
    call_command("register_released", verbosity=0)
    assert not MLModel.objects.filter(model_name="thorough").exists()

    encoder_file().touch()
    call_command("register_released", verbosity=0)
    assert MLModel.objects.get(model_name="thorough").conv_layers == []
    measured = MLModel.objects.get(model_name="thorough").conv_layers
    MLModel.objects.filter(model_name="thorough").update(
        conv_layers=None, state="running", message=""
    )
    early = post(client)  # `standard` could, but would not say that it is another
    assert early.status_code == 409
    assert early.json()["detail"].endswith("It has not been loaded yet.")
    assert client.get("/api/v1/readyz").status_code == 503
    MLModel.objects.filter(model_name="thorough").update(conv_layers=None, state="failed")
    assert post(client).json()["model"] == "standard"

    MLModel.objects.filter(model_name="thorough").update(conv_layers=measured, state="done")
    answer = post(client).json()
    assert answer["model"] == "thorough"
    assert answer["results"][0]["raw_score"] == pytest.approx(0.75)
    assert post(client, model="thorough", layers=[0]).status_code == 404

    encoder_file().unlink()
    monkeypatch.undo()
    monkeypatch.setenv("MESONET_CACHE", str(tmp_path))
    monkeypatch.setattr(loading, "_loaded", OrderedDict())
    assert post(client).json()["model"] == "standard"
    refused = post(client, model="thorough")
    assert refused.status_code == 409
    assert "mesonet weights get thorough" in refused.json()["detail"]
