"""Exploring a model."""

import re
import shutil
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client

from classifiers.models import MLModel

pytestmark = pytest.mark.django_db(transaction=True)


def explore(model: MLModel, **asked: object) -> str:
    return Client().get(f"/models/{model.pk}/explore/", asked, follow=True).content.decode()


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


def test_page_by_page_through_all_of_them(model: MLModel) -> None:
    page, seen = explore(model, images=8), []
    while True:
        seen.append(re.findall(r'<img src="([^"]+)"', page))
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if not following:
            break
        page = Client().get(f"/models/{model.pk}/explore/{unescape(following[1])}").content.decode()
    assert [len(images) for images in seen] == [8, 8, 4]
    assert len({image for images in seen for image in images}) == 20
    assert 'rel="prev"' in page


def test_the_same_images_by_another_model(model: MLModel) -> None:
    model.pk, model.model_name, model._state.adding = uuid4(), "Another", True
    MLModel.objects.bulk_create([model])
    page = explore(MLModel.objects.get(model_name="Model 1"), images=4)
    address = re.search(r'href="([^"]+)">Another<', page)
    other = Client().get(unescape(address[1])).content.decode()
    images = [re.findall(r'<img src="([^"]+)"', text) for text in (page, other)]
    assert len(images[0]) == 4
    assert images[0] == images[1]


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
