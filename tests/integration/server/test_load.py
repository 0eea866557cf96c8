"""What the server does when more is asked of it than it can do."""

import threading
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.integration.server.helpers import picture, wait_until

from classifiers.models import MLModel
from mesonet_site.api import scoring, views

pytestmark = pytest.mark.django_db(transaction=True)


def detect(client: Client | None = None) -> Any:
    image = SimpleUploadedFile("face.png", picture(0))
    return (client or Client()).post("/api/v1/detections", {"image": image})


def patient_client() -> Client:
    client = Client(raise_request_exception=False)
    client.get("/api/v1/livez")  # makes the middleware, once
    return client


@pytest.fixture
def stuck(model: MLModel, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Scoring waits for this event."""
    event = threading.Event()

    def score(*_: Any) -> None:
        event.wait(20)
        raise RuntimeError

    monkeypatch.setattr(views, "score", score)
    yield event
    event.set()


def test_what_has_no_room_is_told_to_come_back(settings: Any, stuck: threading.Event) -> None:
    settings.SCORE_AT_ONCE, settings.SCORE_WAITING, settings.SCORE_WAIT_SECONDS = 1, 1, 20
    client = patient_client()
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(detect(client))) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(answers) == 2, 20)

    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert client.get("/api/v1/livez").status_code == 200
    assert client.get("/api/v1/models").status_code == 200
    stuck.set()
    for thread in threads:
        thread.join(20)
    assert sorted(answer.status_code for answer in answers) == [500, 500, 503, 503]


def test_a_turn_that_does_not_come_in_time(settings: Any, stuck: threading.Event) -> None:
    settings.SCORE_AT_ONCE, settings.SCORE_WAITING, settings.SCORE_WAIT_SECONDS = 1, 5, 0.2
    client = patient_client()
    first = threading.Thread(target=detect, args=(client,))
    first.start()
    wait_until(lambda: detect(client).status_code == 503, 10)
    stuck.set()
    first.join(20)
    wait_until(lambda: detect(client).status_code == 500, 10)


def test_a_decoder_that_is_busy(
    settings: Any, model: MLModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SCORE_WAIT_SECONDS = 0.1
    monkeypatch.setattr(scoring, "_decoding", threading.Semaphore(0))
    answer = detect()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
