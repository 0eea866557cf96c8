"""Exploring a model."""

import re
import shutil
from pathlib import Path

import pytest
from django.test import Client

from classifiers.models import MLModel

pytestmark = pytest.mark.django_db(transaction=True)


def explore(model: MLModel, **asked: object) -> str:
    return Client().get(f"/models/{model.pk}/explore/", asked).content.decode()


def test_images_with_layers(model: MLModel) -> None:
    page = explore(model, images=3, layers=[0, 2])
    assert page.count('alt="An image labelled') == 3
    assert page.count("_conv0.png") == 3 * 2
    assert page.count("_conv2.png") == 3 * 2
    assert "Draw others" in page


def test_only_the_mistakes(model: MLModel) -> None:
    page = explore(model, images=20, mistakes="on")
    found = re.search(r"(\d+) of 20 drawn images", page)
    assert found
    wrong = int(found[1])
    assert wrong == sum(map(sum, model.curves["confusion"])) - sum(
        model.curves["confusion"][label][label] for label in (0, 1)
    )
    assert page.count("✗") == wrong
    assert "✓" not in page


@pytest.mark.parametrize("images", ["0", "51", "many", ""])
def test_a_wrong_number(model: MLModel, images: str) -> None:
    page = explore(model, images=images)
    assert 'aria-invalid="true"' in page
    assert "An image labelled" not in page


def test_a_layer_that_is_not_there(model: MLModel) -> None:
    assert "An image labelled" not in explore(model, images=1, layers=99)


def test_no_labelled_images(model: MLModel, dataset: Path) -> None:
    shutil.rmtree(dataset)
    assert "no labelled images" in explore(model, images=1)
