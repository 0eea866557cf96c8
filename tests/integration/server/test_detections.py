"""Many images, which are scored in the background, and whose detections they are."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from rest_framework.test import APIClient
from tests.integration.server.helpers import URL, Attempt, image, post, run_queued

from classifiers.models import MLModel
from mesonet_site.api import tasks
from mesonet_site.api.models import Detection, Total

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user() -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("user"))
    return client


# Many images


def test_many_images_are_scored_later(
    client: APIClient, model: MLModel, settings: Any, queue: None, home: Path
) -> None:
    settings.SYNC_IMAGES = 2
    answer = post(client, image(0), image(1, "b.png"), image(content=b"none"))
    job = answer.json()

    assert answer.status_code == 202
    assert answer["Retry-After"] == "1"
    assert (job["state"], job["progress"], job["results"]) == ("waiting", 0, [])
    assert len(list((home / "uploads" / job["id"]).iterdir())) == 3

    run_queued(tasks.detect)

    job = client.get(answer["Location"]).json()
    assert (job["state"], job["progress"]) == ("done", 100)
    assert [result["name"] for result in job["results"]] == ["face.png", "b.png", "face.png"]
    now = post(client, image(1)).json()["results"][0]["fake_probability"]
    assert job["results"][1]["fake_probability"] == pytest.approx(now, abs=1e-6)
    assert job["results"][2]["error"]
    assert list((home / "uploads").iterdir()) == []


@pytest.fixture
def job(client: APIClient, model: MLModel, settings: Any, queue: None) -> Detection:
    settings.SYNC_IMAGES = 2
    images = [image(seed, f"{seed}.png") for seed in range(20)]
    return Detection.objects.get(pk=post(client, *images).json()["id"])


def parts(job: Detection) -> list[Any]:
    queued = DBTaskResult.objects.filter(task_path=tasks.detect.module_path)
    return sorted(arguments["args"] for arguments in queued.values_list("args_kwargs", flat=True))


def test_a_job_is_shared_and_goes_on_where_it_was_broken_off(
    client: APIClient, job: Detection, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    scored: list[str] = []
    original = tasks.score

    def score(model: Any, images: Any, *more: Any) -> Any:
        if len(scored) == 8:
            raise SystemExit
        scored.extend(name for name, _ in images)
        return original(model, images, *more)

    monkeypatch.setattr(tasks, "score", score)
    assert parts(job) == [[str(job.pk), first] for first in (0, 8, 16)]
    tasks.detect.func(Attempt(1), str(job.pk), 8)  # another worker may be ahead
    with pytest.raises(SystemExit):
        tasks.detect.func(Attempt(1), str(job.pk), 0)
    job.refresh_from_db()
    assert (job.state, job.processed) == ("running", 8)
    shown = client.get(f"{URL}/{job.pk}").json()["results"]
    assert [result["name"] for result in shown] == [f"{i}.png" for i in range(8, 16)]

    scored.append("")
    for first in (0, 8, 16):
        tasks.detect.func(Attempt(2), str(job.pk), first)
    job.refresh_from_db()
    assert (job.state, job.processed) == ("done", 20)
    assert [result["name"] for result in job.results] == [f"{i}.png" for i in range(20)]
    assert sorted(filter(None, scored)) == sorted(f"{i}.png" for i in range(20))
    assert list((home / "uploads").iterdir()) == []


def test_each_image_is_kept_once(job: Detection) -> None:
    Detection.objects.update(state="running")
    assert job.record({0: {"name": "first"}, 5: {"name": "first"}})
    assert job.record({5: {"name": "second"}, 6: {"name": "second"}})
    job.refresh_from_db()
    assert [job.results[index]["name"] for index in (0, 5, 6)] == ["first", "first", "second"]
    assert (job.processed, job.state, Total.of("images")) == (3, "running", 3)
    assert job.record({index: {} for index in range(20)})
    assert (Total.of("images"), job.record({0: {}})) == (20, False)


def test_cancelling(client: APIClient, job: Detection, home: Path) -> None:
    answer = client.post(f"{URL}/{job.pk}/cancel")

    assert answer.status_code == 200
    assert answer.json()["state"] == "cancelled"
    assert list((home / "uploads").iterdir()) == []
    assert client.post(f"{URL}/{job.pk}/cancel").status_code == 409
    tasks.detect.func(Attempt(1), str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.processed) == ("cancelled", 0)


def test_cancelling_while_it_runs(
    client: APIClient, job: Detection, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = tasks.score

    def score(*arguments: Any) -> Any:
        client.post(f"{URL}/{job.pk}/cancel")
        return original(*arguments)

    monkeypatch.setattr(tasks, "score", score)
    tasks.detect.func(Attempt(1), str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.processed) == ("cancelled", 0)


def test_deleting(client: APIClient, job: Detection, home: Path) -> None:
    assert client.delete(f"{URL}/{job.pk}").status_code == 204
    assert client.get(f"{URL}/{job.pk}").status_code == 404
    assert list((home / "uploads").iterdir()) == []
    tasks.detect.func(Attempt(1), str(job.pk))


def test_a_job_is_given_up_in_the_end(job: Detection) -> None:
    tasks.detect.func(Attempt(tasks.MAX_ATTEMPTS + 1), str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.message) == ("failed", "scoring broke off 5 times")


def test_a_job_whose_model_is_deleted(job: Detection) -> None:
    MLModel.objects.all().delete()
    tasks.detect.func(Attempt(1), str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.message) == ("failed", "the model was deleted")


def test_a_job_whose_task_was_lost_is_queued(job: Detection) -> None:
    DBTaskResult.objects.all().delete()
    Detection.objects.update(created_at=timezone.now() - timezone.timedelta(minutes=1))
    tasks.queue_lost_detections()
    tasks.queue_lost_detections()
    assert parts(job) == [[str(job.pk), first] for first in (0, 8, 16)]


def test_retention(client: APIClient, job: Detection, settings: Any, home: Path) -> None:
    drawn = post(client, layers=["0"])
    assert drawn.status_code == 202
    tasks.detect.func(Attempt(1), drawn.json()["id"])
    assert tasks.clean_up() == (0, 0)
    settings.RETENTION_DAYS = 0
    assert tasks.clean_up() == (2, 1)
    assert list((home / "uploads").iterdir()) == []
    assert list((home / "media" / "plots").iterdir()) == []


# Whose detections


def test_detections_of_users_are_private(
    client: APIClient, user: APIClient, staff: APIClient, model: MLModel
) -> None:
    of_user, of_nobody = post(user).json()["id"], post(client).json()["id"]

    assert client.get(f"{URL}/{of_user}").status_code == 404
    assert client.delete(f"{URL}/{of_user}").status_code == 404
    for reader in (user, staff):
        assert reader.get(f"{URL}/{of_user}").status_code == 200
    assert user.get(f"{URL}/{of_nobody}").status_code == 200
    assert [entry["id"] for entry in user.get(URL).json()["results"]] == [of_user]
    assert client.get(URL).json()["results"] == []
    assert staff.get(URL).json()["count"] == 2


def test_anonymous_detection_can_be_switched_off(
    client: APIClient, user: APIClient, model: MLModel, settings: Any
) -> None:
    settings.ANONYMOUS_DETECTION = False
    assert post(client).status_code == 401
    assert post(user).status_code == 201


def test_anonymous_detection_is_throttled(client: APIClient, model: MLModel, settings: Any) -> None:
    settings.THROTTLE_ANONYMOUS_DETECTION = "2/min"
    answers = [post(client) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert answers[2]["Content-Type"] == "application/problem+json"
