"""What is shown when the server cannot answer."""

import errno
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from mesonet_site.api.views import DetectionViewSet
from mesonet_site.pages.about import views

pytestmark = pytest.mark.django_db

TROUBLE = [
    (RuntimeError("a mistake"), 500, "The server failed", "no fault of yours"),
    (OperationalError("database is locked"), 503, "cannot answer now", "Try again in a minute"),
    (OSError(errno.ENOSPC, "full"), 507, "cannot answer now", "no room left"),
]


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(("error", "status", "title", "sentence"), TROUBLE)
def test_a_page_that_fails_is_a_page_still(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
    error: Exception,
    status: int,
    title: str,
    sentence: str,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(views, "render", fail)
    with django_assert_num_queries(0):
        answer = client.get("/how-it-works/")
    page = answer.content.decode()
    assert answer.status_code == status
    assert ("Retry-After" in answer) == (status != 500)
    assert title in page
    assert sentence in page
    assert 'href="/models/"' in page
    assert "page.css" in page
    assert "<form" not in page


def test_a_result_is_not_said_to_be_gone_while_the_database_is_locked(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retrieve(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(DetectionViewSet, "retrieve", retrieve)
    answer = client.get(f"/checks/{uuid4()}/", headers={"accept-language": "es"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Su base de datos no se puede usar" in answer.content.decode()
    answer = client.get(f"/api/v1/detections/{uuid4()}")
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
