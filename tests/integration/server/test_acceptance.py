"""The reference's model, uploaded by the admin and measured on its own images."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from classifiers.models import MLModel
from mesonet.detector import Detector, Verdict

pytestmark = [
    pytest.mark.slow,
    pytest.mark.sqlite_is_enough,
    pytest.mark.django_db(transaction=True),
    pytest.mark.shared,
]


def test_model1(shared: Path, client: APIClient, settings: Any) -> None:
    settings.DATA_ROOT = shared / "data" / "mesonet"
    path = shared / "weights" / "model1_18epochs_valacc0.9252.hdf5"
    admin = Client()
    admin.force_login(User.objects.create_superuser("admin"))
    with path.open("rb") as file:
        fields = {"model_name": "Model 1", "model_desc": "the reference's", "model_file": file}
        assert admin.post("/admin/classifiers/mlmodel/add/", fields).status_code == 302

    model = MLModel.objects.get()
    page = admin.get(f"/admin/classifiers/mlmodel/{model.pk}/change/").content.decode()
    assert model.accuracy == pytest.approx(95.97, abs=0.3)
    assert str(model.accuracy) in page
    assert "<th>f1-score</th>" in page
    assert model.conv_layers == [[8, [3, 3]], [8, [5, 5]], [16, [5, 5]], [16, [5, 5]]]
    assert [row[-1] for row in model.clr["rows"][:2]] == [1652, 2589]

    images = sorted(settings.DATA_ROOT.rglob("*.jpg"))[::200]
    for image, verdict in zip(images, Detector.load(path).predict(images), strict=True):
        assert isinstance(verdict, Verdict)
        upload = SimpleUploadedFile(image.name, image.read_bytes())
        answer = client.post(
            "/api/v1/detections", {"image": [upload], "faces": "whole"}, format="multipart"
        ).json()
        assert answer["results"][0]["fake_probability"] == pytest.approx(
            verdict.fake_probability, abs=1e-4
        )

    for entry in client.get(f"/api/predictions/{model.pk}/5/0/").json():
        assert client.get(entry["img_url"]).status_code == 200
