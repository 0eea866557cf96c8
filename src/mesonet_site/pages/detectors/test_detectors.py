"""The pages of models."""

from dataclasses import replace

import pytest
from django.test import Client
from tests.integration.server.helpers import upload_released

from classifiers.models import MLModel
from mesonet.evidence import Evidence
from mesonet.files import file_hash
from mesonet.training_data import TrainingData
from mesonet.weights import released
from mesonet_site.pages.detectors.cards import card
from mesonet_site.pages.detectors.robustness import panels

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_model_that_was_measured(client: Client, model: MLModel) -> None:
    client = Client()
    assert "Model 1" in client.get("/models/").content.decode()
    page = client.get(f"/models/{model.pk}/").content.decode()
    (true_real, false_alarms), (missed, found) = model.curves["confusion"]
    assert true_real + false_alarms == missed + found == 10
    assert f"<td>{true_real}</td><td>{false_alarms}</td>" in page
    assert f"<td>{missed}</td><td>{found}</td>" in page
    assert "<polyline points=" in page
    assert "precision" in page
    assert f"{len(model.conv_layers)} layers" in page
    assert "http-equiv" not in page


def test_what_the_file_of_an_uploaded_model_says_of_itself(db: None) -> None:
    client, model = Client(), upload_released("meso4")

    def page(**info: object) -> str:
        described = replace(model.get_info(), **info).to_dict()
        MLModel.objects.update(info=described, model_hash="0" * 64)
        return client.get(f"/models/{model.pk}/").content.decode()

    unknown = page(training_data=None)
    assert "Its file does not say what it was trained on." in unknown
    assert "No curve of its training was kept." in unknown
    shares = (0.9, 0.05, 0.04, 0.01)
    evidence = Evidence(0.3, 0.7, 0.9, shares, shares[::-1], real=1234, fake=567)
    data = TrainingData(("our faces", "theirs"), images=4321)
    known = page(evidence=evidence, kinds=("puppets",), training_data=data)
    assert "measured on 1,234 real and 567 manipulated ones" in known
    assert "Measured on: puppets." in known
    assert "Trained on 4,321 images of our faces, theirs." in known


def test_what_compression_does_to_a_released_model(client: Client, model: MLModel) -> None:
    client = Client()
    page = client.get(f"/models/{model.pk}/").content.decode()
    assert "<p>Not measured.</p>" in page
    assert "nobody has examined yet" in page
    found = released("standard")
    assert found is not None
    MLModel.objects.update(model_hash=file_hash(found.path))
    page = client.get(f"/models/{model.pk}/").content.decode()
    assert "JPEG compression, by quality" in page or found.robustness is None


def test_robustness_is_drawn_from_chance_to_the_best() -> None:
    levels = [{"level": None, "auc": 1.0}, {"level": 0.5, "auc": 0.5}]
    measured = [{"data": name, "families": {"blur": {"levels": levels}}} for name in ("a", "b")]
    (panel,) = panels(measured)
    assert [line["points"] for line in panel.lines] == ["2.0,2.0 118.0,98.0"] * 2
    assert panel.rows == [("unchanged", [1.0, 1.0]), ("0.5", [0.5, 0.5])]


def test_a_model_that_is_being_measured(client: Client, model: MLModel) -> None:
    MLModel.objects.update(state=MLModel.State.RUNNING, progress=40)
    page = Client().get(f"/models/{model.pk}/").content.decode()
    assert 'value="40"' in page
    assert 'hx-trigger="every 2s"' in page


def test_a_model_that_cannot_be_used(client: Client, model: MLModel) -> None:
    MLModel.objects.update(state="failed", conv_layers=None, accuracy=None, message="It is broken.")
    assert "It is broken." in Client().get(f"/models/{model.pk}/").content.decode()
    assert "It cannot be used." in Client().get("/models/").content.decode()


def test_cards_are_html_of_their_own_headings() -> None:
    found = released("standard")
    assert found is not None
    page = card(found)
    assert "<h1>" not in page
    assert "<h2>" not in page
    assert "<h3>Data</h3>" in page
    assert page.count("<table>") == page.count('<div class="wide" tabindex="0">') >= 2
    assert 'href="..' not in page
