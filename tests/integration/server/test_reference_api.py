"""The reference's three endpoints."""

import uuid
from pathlib import Path

import pytest
from rest_framework.test import APIClient
from tests.integration.server.helpers import upload

from classifiers.models import MLModel

pytestmark = pytest.mark.django_db(transaction=True)


def test_dataset_size(client: APIClient, dataset: Path) -> None:
    assert client.get("/api/dataset-size/").json() == {"size": 20}


def test_available_models(client: APIClient, model: MLModel) -> None:
    (entry,) = client.get("/api/available-models/").json()

    assert list(entry) == [
        *("model_id", "model_name", "model_desc", "loss_curve", "accuracy", "clr", "conv_layers")
    ]
    assert entry["clr"]["columns"] == ["", "precision", "recall", "f1-score", "support"]


def test_predictions(client: APIClient, model: MLModel) -> None:
    plain = client.get(f"/api/predictions/{model.pk}/3/").json()
    drawn = client.get(f"/api/predictions/{model.pk}/1/02/").json()

    assert len(plain) == 3
    assert list(plain[0]) == ["img_url", "true_label", "pred_label", "probability", "plots"]
    assert 50 <= plain[0]["probability"] <= 100
    assert plain[0]["plots"] == []
    assert [url[-10:] for url in drawn[0]["plots"]] == ["_conv0.png", "_conv2.png"]
    assert client.get(plain[0]["img_url"]).status_code == 200
    assert client.get(drawn[0]["plots"][0])["Content-Type"] == "image/png"


def test_a_fixed_order_is_the_same_twice_and_ends(client: APIClient, model: MLModel) -> None:
    def images(skip: int) -> list[str]:
        address = f"/api/predictions/{model.pk}/12/?seed=7&skip={skip}"
        return [found["img_url"] for found in client.get(address).json()]

    assert images(0) == images(0)
    assert len(set(images(0) + images(12))) == 20
    assert images(20) == []
    assert client.get(f"/api/predictions/{model.pk}/1/?seed=-1").status_code == 400


def test_plots_do_not_pile_up(client: APIClient, model: MLModel, home: Path) -> None:
    for path in (home / "media" / "data").rglob("*_[3-9].png"):
        path.unlink()
    for _ in range(2):
        client.get(f"/api/predictions/{model.pk}/6/0/")
    assert len(list((home / "media" / "plots").iterdir())) == 6


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("21/", 409, "21 images are asked for, but the dataset has 20."),
        ("0/", 400, "Ask for 1 to 200 images."),
        ("201/", 400, "Ask for 1 to 200 images."),
        ("1/4/", 404, "There is no layer 4: the model has 4 convolutional layers, from 0."),
        ("1/0,12/", 404, "There is no layer 12: the model has 4 convolutional layers, from 0."),
        ("1/x/", 400, "Name layers by their numbers, such as 02 or 0,12."),
    ],
)
def test_mistakes(client: APIClient, model: MLModel, path: str, status: int, reason: str) -> None:
    answer = client.get(f"/api/predictions/{model.pk}/{path}")

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == reason


def test_unknown_model(client: APIClient, dataset: Path) -> None:
    assert client.get(f"/api/predictions/{uuid.uuid4()}/1/").status_code == 404


def test_a_missing_dataset(client: APIClient, home: Path, model_file: Path) -> None:
    model = upload(model_file)
    for path in ("dataset-size/", f"predictions/{model.pk}/1/"):
        answer = client.get(f"/api/{path}")
        assert answer.status_code == 404
        assert answer.json()["detail"] == "No images: the dataset folder: no such folder."


def test_a_model_that_does_not_load(client: APIClient, dataset: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    path.write_text("hello")
    answer = client.get(f"/api/predictions/{upload(path).pk}/1/")

    assert answer.status_code == 409
    assert "is a text file" in answer.json()["detail"]
