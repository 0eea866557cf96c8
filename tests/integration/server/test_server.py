"""Health, errors, logs, schema and settings of the server."""

import json
import logging
import os
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.test import Client
from rest_framework.test import APIClient

import mesonet
from classifiers.models import MLModel
from mesonet.files import file_hash
from mesonet.model_file import load_model, save_model
from mesonet.weights import Released
from mesonet_site import settings as site_settings
from mesonet_site.api import problems
from mesonet_site.api.management.commands import register_released
from mesonet_site.api.throttling import AnonymousThrottle
from mesonet_site.logs import JSONFormatter

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[3]


def test_health(client: APIClient, db: None) -> None:
    assert client.get("/api/v1/livez").json() == {"status": "ok"}
    answer = client.get("/api/v1/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "checks": {"database": "ok", "storage": "ok", "model": "there is no model"},
    }


def test_readiness(client: APIClient, model: MLModel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/api/v1/readyz").json()["status"] == "ok"

    from mesonet_site.api import health

    def broken() -> None:
        raise OSError("secret detail")

    monkeypatch.setattr(health, "_storage", broken)
    answer = client.get("/api/v1/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["storage"] == "failed: OSError"


def test_version(client: APIClient, db: None) -> None:
    assert client.get("/api/v1/version").json() == {"version": mesonet.__version__, "api": "1"}


def test_the_page_of_the_api_needs_no_network(client: APIClient, db: None) -> None:
    page = client.get("/api/docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/" in page
    assert "https://" not in page
    assert client.get("/", follow=True).status_code == 200


def test_the_schema_in_the_repository_is_current(tmp_path: Path) -> None:
    call_command(
        "spectacular", file=str(tmp_path / "openapi.yaml"), validate=True, fail_on_warn=True
    )
    current = (ROOT / "docs" / "openapi.yaml").read_text()
    assert current == (tmp_path / "openapi.yaml").read_text(), (
        "run: python -m mesonet_site spectacular --file docs/openapi.yaml"
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/none", 404),
        ("PUT", "/api/v1/models", 405),
        ("GET", "/api/v1/models/----", 404),
        ("POST", "/api/v1/detections", 415),
    ],
)
def test_errors_are_problem_documents(
    method: str, path: str, status: int, client: APIClient, db: None
) -> None:
    answer = client.generic(method, path, "{}", content_type="application/json")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_a_failure_of_the_server(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from mesonet_site.api import reference

    def broken() -> int:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(reference, "get_dataset_size", broken)
    answer = Client(raise_request_exception=False).get("/api/dataset-size/")
    assert answer.status_code == 500
    assert answer.json()["title"] == "Internal Server Error"
    assert "secret" not in answer.content.decode()


def test_two_requests_for_the_same_name_at_the_same_moment(db: None) -> None:
    answer = problems.handle(IntegrityError("UNIQUE constraint failed"), {})
    assert answer is not None
    assert answer.status_code == 409
    assert answer.data["detail"] == "It exists already."


def test_request_ids(client: APIClient, db: None, caplog: pytest.LogCaptureFixture) -> None:
    own = client.get("/api/v1/livez", headers={"X-Request-ID": "abc-1"})
    assert own["X-Request-ID"] == "abc-1"
    forged = client.get("/api/v1/livez", headers={"X-Request-ID": "a b\n{}"})
    assert len(forged["X-Request-ID"]) == 32


def test_log_lines_are_json() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "say %s", ("hello",), None)
    record.fields = {"status": 200}
    entry = json.loads(JSONFormatter().format(record))
    assert entry["message"] == "say hello"
    assert entry["level"] == "info"
    assert entry["status"] == 200


def test_a_suspicious_request_is_one_short_line(
    client: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/api/v1/livez", headers={"Host": "evil host"}).status_code == 400
    (record,) = (r for r in caplog.records if r.name == "django.security.DisallowedHost")
    entry = json.loads(JSONFormatter().format(record))
    assert "evil host" in entry["message"]
    assert "traceback" not in entry


@pytest.fixture
def released(model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = Path(shutil.copy(model_file, tmp_path / "small.keras"))
    path.with_suffix(".md").write_text("# small\n\nA small network\nfor tests.\n\nMore.\n")
    monkeypatch.setattr(register_released, "list_released", lambda: [Released("small", path)])
    return path


def test_released_weights_are_registered_once(released: Path, db: None) -> None:
    for _ in range(2):
        call_command("register_released", verbosity=0)

    model = MLModel.objects.get()
    assert (model.model_name, model.model_desc) == ("small", "A small network for tests.")
    assert model.usable


def test_released_weights_of_another_version_are_replaced_when_asked(
    released: Path, db: None
) -> None:
    call_command("register_released", verbosity=0)
    registered = MLModel.objects.get()
    network, info = load_model(released)
    save_model(network, released, replace(info, threshold=0.25))

    said = StringIO()
    call_command("register_released", stderr=said)
    assert "small: another file is registered" in said.getvalue()
    assert MLModel.objects.get().model_hash == registered.model_hash

    call_command("register_released", replace=True)
    model = MLModel.objects.get()
    assert model.pk == registered.pk
    assert model.model_hash == file_hash(released) != registered.model_hash
    assert model.usable


def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def run(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    names = ("SECRET_KEY", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "LOG_LEVEL")
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        [sys.executable, "-m", "mesonet_site", *arguments],
        env=inherited | {"MESONET_HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.sqlite_is_enough
def test_a_missing_key_is_said_clearly(tmp_path: Path) -> None:
    result = run("check", home=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("mesonet: SECRET_KEY is not set")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.sqlite_is_enough
def test_production_settings_pass_the_deployment_check(tmp_path: Path) -> None:
    settings = {"HTTPS": "true", "ALLOWED_HOSTS": "example.org"}
    key = "".join(chr(33 + i) for i in range(80)).replace("$", "s")
    result = run(
        "check", "--deploy", "--fail-level", "DEBUG", home=tmp_path, SECRET_KEY=key, **settings
    )
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


@pytest.mark.sqlite_is_enough
def test_settings_from_a_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET_KEY=x\nSYNC_IMAGES=500\nMODEL_FILE_ROOT=media/models\n")
    result = run("check", home=tmp_path)
    assert result.returncode == 1
    assert "SYNC_IMAGES is larger than MAX_IMAGES" in result.stderr
    assert "MODEL_FILE_ROOT lies in the media folder" in result.stderr


def test_an_empty_rate_in_the_environment_is_no_limit(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert AnonymousThrottle().get_rate() == "300/min"
    monkeypatch.setenv("THROTTLE_ANONYMOUS", "")
    read = runpy.run_path(site_settings.__file__)
    settings.THROTTLE_ANONYMOUS = read["THROTTLE_ANONYMOUS"]
    assert AnonymousThrottle().get_rate() is None
    assert read["THROTTLE_USER"] == "3000/min"


@pytest.mark.parametrize("name", ["%00", "a/%00/b", "..%2f..%2fetc/passwd", "x" * 3000, "%ff"])
@pytest.mark.parametrize("folder", ["media", "media/data"])
def test_names_that_no_file_can_have(db: None, folder: str, name: str) -> None:
    assert Client(raise_request_exception=False).get(f"/{folder}/{name}").status_code == 404
