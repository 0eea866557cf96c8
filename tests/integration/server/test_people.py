"""Photographs and clips by the API: who is on them, and what of each."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient
from tests.clips import nobody, portrait, write_clip
from tests.integration.server.helpers import upload_released

from classifiers.models import MLModel
from mesonet.checking import Checker
from mesonet.checking.explaining import NONE_PASSED
from mesonet.detector import Detector
from mesonet.errors import ReportError
from mesonet.explanations import exam_path
from mesonet.files import file_hash
from mesonet.report.verification import verify_report
from mesonet_site.api import people, tasks
from mesonet_site.api.check_serializers import CheckSerializer
from mesonet_site.api.models import Detection

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/detections"


def png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def clip(count: int = 4) -> bytes:
    buffer = io.BytesIO()
    write_clip(buffer, [portrait(256)] * count, format="mp4")
    return buffer.getvalue()


def post(client: APIClient, *contents: bytes, **fields: Any) -> Any:
    files = [SimpleUploadedFile(f"{n}.bin", content) for n, content in enumerate(contents)]
    return client.post(URL, {"image": files, **fields}, format="multipart")


def stored() -> list[str]:
    root = Path(default_storage.path("faces"))
    return [path.name for path in root.rglob("*.jpg")]


def test_everybody_on_a_photograph(client: APIClient, model: MLModel, model_file: Path) -> None:
    pair = png(np.hstack([portrait(), portrait()[:, ::-1]]))
    answer = post(client, pair)
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["faces"], body["state"]) == ("find", "done")
    (result,) = body["results"]
    expected = Checker(Detector.load(model_file)).check(pair, name="0.bin").to_dict()
    pictures = result.pop("pictures")
    expected["model"]["name"] = "Model 1"
    scores = [person.pop("fake_probability") for person in result["people"]]
    assert scores == pytest.approx(
        [p.pop("fake_probability") for p in expected["people"]], abs=1e-4
    )
    assert [p["box"] for p in result["people"]] == [p["box"] for p in expected["people"]]
    assert result["file"] == expected["file"]
    assert set(pictures["crops"]) == {"1", "2"}
    for address in (pictures["scene"], *pictures["crops"].values()):
        assert address.startswith("http://testserver/media/faces/")
        picture = client.get(address.removeprefix("http://testserver"))
        assert picture.status_code == 200
        assert Image.open(io.BytesIO(b"".join(picture.streaming_content))).format == "JPEG"


def test_pictures_go_with_their_detection(client: APIClient, model: MLModel) -> None:
    first, second = (post(client, png(portrait())).json()["id"] for _ in range(2))
    assert len(stored()) == 4
    folders = [detection.pictures for detection in Detection.objects.all()]
    assert len(set(folders)) == 2
    assert all(len(folder) >= 40 for folder in folders)
    assert not {first, second} & set(folders)
    assert client.delete(f"{URL}/{first}").status_code == 204
    assert len(stored()) == 2
    Detection.objects.all().delete()
    assert stored() == []


def test_a_clip_is_checked_later(
    client: APIClient, model: MLModel, settings: Any, home: Path
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    answer = post(client, clip())
    assert answer.status_code == 202
    body = answer.json()
    assert (body["state"], body["results"]) == ("waiting", [])
    tasks.detect.call(_Context(), body["id"])
    body = client.get(answer["Location"]).json()
    assert body["state"] == "done", body
    (result,) = body["results"]
    assert result["kind"] == "clip"
    assert len(result["people"][0]["faces"]) == len(result["frames_seen"]) == 4
    assert len(result["pictures"]["frames"]) == 4
    assert not list((home / "uploads").rglob("*.*"))


def test_where_the_score_came_from(
    client: APIClient, model: MLModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = model.get_detector()
    monkeypatch.setattr(detector, "info", replace(detector.info, threshold=0.0))
    refused = post(client, png(portrait()), explain="true").json()["results"][0]
    assert refused["notes"] == [NONE_PASSED]
    assert (refused["people"][0]["explanations"], refused["pictures"]["maps"]) == ([], {})
    record = {"model_sha256": file_hash(detector.scored_path), "passed": ["occlusion", "regions"]}
    exam_path(detector.scored_path).write_text(json.dumps(record))
    body = post(client, png(portrait()), explain="true").json()
    assert body["explain"]
    (result,) = body["results"]
    occlusion, regions = result["people"][0]["explanations"]
    assert set(regions["shares"]) == {"eyes", "nose", "mouth", "skin", "border", "background"}
    address = result["pictures"]["maps"][occlusion["method"]]
    assert client.get(address.removeprefix("http://testserver")).status_code == 200
    for page in ("", "report.html"):
        text = client.get(f"/checks/{body['id']}/{page}").content.decode()
        assert "Where the score came from, not where the forgery is" in text
        assert "Occlusion map" in text
    assert "data:image/jpeg" in text
    unasked = post(client, png(portrait())).json()["results"][0]
    assert unasked["people"][0]["explanations"] == []


def test_a_report_of_the_page_can_be_verified(client: APIClient, tmp_path: Path) -> None:
    model = upload_released("meso4")
    photo, page = tmp_path / "photo.png", tmp_path / "report.html"
    photo.write_bytes(png(portrait()))
    body = post(client, photo.read_bytes()).json()
    assert "made_by" not in body["results"][0]
    page.write_bytes(client.get(f"/checks/{body['id']}/report.html").content)
    assert f"<code>{model.get_detector().sha256}</code>" in page.read_text()
    findings = list(verify_report(page, [photo]))
    assert [finding.what for finding in findings if not finding.equal] == []
    page.write_text(page.read_text().replace("0.bin", "1.bin", 1))
    assert [f.what for f in verify_report(page, []) if f.equal is False] == ["page"]


def test_a_report_of_faces_that_were_scored_as_they_are_has_no_seal(
    client: APIClient, tmp_path: Path
) -> None:
    upload_released("meso4")
    body = post(client, png(portrait(64)), faces="whole").json()
    page = tmp_path / "report.html"
    page.write_bytes(client.get(f"/checks/{body['id']}/report.html").content)
    with pytest.raises(ReportError, match="holds no record"):
        list(verify_report(page, []))


def test_explanations_are_of_faces_that_were_found(client: APIClient, model: MLModel) -> None:
    answer = post(client, png(portrait()), faces="whole", explain="true")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "#/explain"


def test_progress_within_a_clip(
    client: APIClient, model: MLModel, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    monkeypatch.setattr(tasks, "_SECONDS_BETWEEN_TELLING", 0)
    seen: list[tuple[int, int, int]] = []
    find = people.check_upload

    def watched(*where: Any, progress: Any, **more: Any) -> Any:
        def tell(done: int, total: int) -> None:
            progress(done, total)
            body = client.get(f"{URL}/{detection}").json()
            seen.append((body["frames_done"], body["frames"], body["progress"]))
            page = client.get(f"/checks/{detection}/").content.decode()
            assert f"{done} of 4 frames looked at" in page

        return find(*where, progress=tell, **more)

    monkeypatch.setattr(tasks, "check_upload", watched)
    detection = post(client, clip()).json()["id"]
    tasks.detect.call(_Context(), detection)
    assert seen == [(1, 4, 25), (2, 4, 50), (3, 4, 75), (4, 4, 100)]
    body = client.get(f"{URL}/{detection}").json()
    assert (body["state"], body["progress"]) == ("done", 100)


class _Context:
    attempt = 1


def test_what_holds_no_usable_face_has_no_score(client: APIClient, model: MLModel) -> None:
    body = post(client, png(nobody()), b"broken", png(portrait())).json()
    outcomes = [result["outcome"] for result in body["results"]]
    assert outcomes == ["no_face", "unreadable", "scored"]
    assert [r["fake_probability"] is None for r in body["results"]] == [True, True, False]
    assert body["results"][1]["pictures"] is None


def test_bad_clips_are_named_and_the_rest_goes_on(
    client: APIClient, bad_media: dict[Path, str], flawed_media: dict[Path, str]
) -> None:
    upload_released("meso4")
    files = {p.read_bytes(): why for p, why in bad_media.items() if p.is_file()}
    assert files.pop(b"") == "empty"
    answer = post(client, b"")
    assert (answer.status_code, "empty" in str(answer.json())) == (400, True)
    answer = post(client, *files)
    assert answer.status_code == 400
    found = [error["detail"] for error in answer.json()["errors"]]
    assert all(re.search(why, text) for why, text in zip(files.values(), found, strict=True)), found

    flawed = [path.read_bytes() for path in flawed_media]
    answer = post(client, *files, *flawed, png(nobody(64)))
    assert answer.status_code == 202
    body = client.get(answer["Location"]).json()
    assert (body["state"], body["message"]) == ("done", "")
    *bad, first, second, photo = body["results"]
    assert {result["outcome"] for result in bad} == {"unreadable"}
    assert {r["fake_probability"] for r in body["results"]} == {None}
    assert [(r["kind"], r["outcome"]) for r in (first, second)] == [("clip", "no_face")] * 2
    notes = [" ".join(result["notes"]) for result in (*bad, first, second)]
    reasons = [*files.values(), *flawed_media.values()]
    assert all(re.search(why, text) for why, text in zip(reasons, notes, strict=True)), notes
    assert (photo["kind"], photo["outcome"]) == ("photo", "no_face")


@pytest.mark.parametrize(
    ("contents", "fields", "settings_", "status", "text"),
    [
        ([b"broken", b"text"], {}, {}, 400, "not a photograph or clip"),
        ([png(portrait(64))], {"threshold": 0.5}, {}, 400, "faces=whole"),
        ([png(portrait(64))], {"layers": [0]}, {}, 400, "faces=whole"),
        ([png(portrait(64))], {"faces": "some"}, {}, 400, "not a valid choice"),
        ([png(portrait(64))], {}, {"MAX_IMAGE_BYTES": 100}, 413, "allowed for an image"),
        ([clip()], {}, {"MAX_CLIP_BYTES": 10, "MAX_IMAGE_BYTES": 10}, 413, "allowed for a file"),
        ([clip()], {}, {"MAX_CLIP_PIXELS": 1000}, 400, "256 x 256 px"),
        ([clip(30)], {}, {"MAX_CLIP_SECONDS": 2}, 400, "longer than the 2 seconds"),
        ([clip()], {"faces": "whole"}, {}, 400, "not an image"),
    ],
)
def test_problems_say_what_is_wrong(
    client: APIClient,
    model: MLModel,
    settings: Any,
    contents: list[bytes],
    fields: dict[str, Any],
    settings_: dict[str, Any],
    status: int,
    text: str,
) -> None:
    for name, value in settings_.items():
        setattr(settings, name, value)
    answer = post(client, *contents, **fields)
    assert answer.status_code == status, answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert text in str(answer.json())
    assert not Detection.objects.exists()


def test_the_schema_of_the_api_names_what_records_hold(client: APIClient, model: MLModel) -> None:
    (record,) = post(client, png(portrait())).json()["results"]
    serializer = CheckSerializer()
    assert set(serializer.fields) == set(record)
    (person,) = record["people"]
    assert set(serializer.fields["people"].child.fields) == set(person)
    assert set(serializer.fields["people"].child.fields["faces"].child.fields) == set(
        person["faces"][0]
    )
    for name in ("file", "model", "pictures"):
        assert set(serializer.fields[name].fields) == set(record[name])
