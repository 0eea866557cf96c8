"""The examples in ``deploy/``: what they run, set and ask exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import Resolver404, resolve
from typer.main import get_command

from mesonet.cli import app
from mesonet_site.api.conf import DEFAULTS
from mesonet_site.api.models import Detection, Total

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KUBERNETES = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
PODS = [one["spec"]["template"]["spec"] for one in KUBERNETES if one["kind"] == "Deployment"]
CONTAINERS = [container for pod in PODS for container in pod["containers"]]
COMMANDS = [
    *(service["command"] for service in COMPOSE["services"].values() if "command" in service),
    *(container["command"] for container in CONTAINERS),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_are_ours(command: list[str]) -> None:
    program, name, *options = command
    assert program == "mesonet"
    sub_command = get_command(app).commands[name]  # type: ignore[attr-defined]
    sub_command.make_context(name, list(options))  # raises where an option is unknown


def test_both_run_the_web_server_and_workers() -> None:
    assert COMMANDS[:2] == COMMANDS[2:]
    assert [command[1] for command in COMMANDS[:2]] == ["serve", "worker"]


def test_settings_are_documented() -> None:
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "server.md").read_text()))
    given = {
        name for one in KUBERNETES for name in {**one.get("data", {}), **one.get("stringData", {})}
    }
    given |= set(COMPOSE["services"]["web"]["environment"])
    assert given >= {"SECRET_KEY", "DATABASE_URL", "METRICS"}
    assert given <= documented


def test_the_memory_limit_holds_what_may_be_scored_at_once() -> None:
    bytes_of_an_image = 10 * DEFAULTS["MAX_IMAGE_PIXELS"]  # measured, see docs/deployment.md
    at_once = int(COMPOSE["services"]["web"]["environment"]["SCORE_AT_ONCE"])
    assert COMPOSE["services"]["web"]["mem_limit"] == "4g"
    assert CONTAINERS[0]["resources"]["limits"]["memory"] == "4Gi"
    assert at_once * bytes_of_an_image + (1 << 30) < 4 << 30
    (settings,) = (one["data"] for one in KUBERNETES if one["kind"] == "ConfigMap")
    assert int(settings["SCORE_AT_ONCE"]) == at_once


def test_addresses_and_names_fit_together() -> None:
    web, worker = CONTAINERS
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert resolve(web[probe]["httpGet"]["path"])
    with pytest.raises(Resolver404):
        resolve("/metrics")  # off by default
    assert web["ports"][0]["containerPort"] == int(web["command"][5])
    names = {(one["kind"], one["metadata"]["name"]) for one in KUBERNETES}
    for container, pod in ((web, PODS[0]), (worker, PODS[1])):
        sources = [entry for source in container["envFrom"] for entry in source.items()]
        kinds = {"secretRef": "Secret", "configMapRef": "ConfigMap"}
        assert {(kinds[kind], named["name"]) for kind, named in sources} <= names
        claim = pod["volumes"][0]["persistentVolumeClaim"]["claimName"]
        assert ("PersistentVolumeClaim", claim) in names
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    (user,) = re.findall(r"--uid (\d+)", dockerfile)
    assert PODS[0]["securityContext"]["runAsUser"] == int(user)
    (home,) = re.findall(r"MESONET_HOME=(\S+)", dockerfile)
    assert {mount["mountPath"] for mount in web["volumeMounts"]} == {home}
    assert COMPOSE["services"]["web"]["volumes"] == [f"files:{home}"]


@pytest.fixture
def figures(db: None) -> dict[str, float]:
    """What `/metrics` shows, by name."""
    from mesonet_site.metrics import RequestMetrics, metrics

    running = {"state": "running", "model_name": "-", "threshold": 0.5}
    Detection.objects.create(images=20, processed=8, stored_bytes=1000, **running)
    Detection.objects.create(images=5, model_name="-", threshold=0.5)
    Detection.objects.create(images=7, processed=7, **running | {"state": "done"})
    Total.add("images", 8)
    Total.add("images", 7)
    answer = RequestMetrics(metrics)(Client().get("/").wsgi_request)
    lines = [line.rsplit(" ", 1) for line in answer.content.decode().splitlines()]
    return {name: float(value) for name, value in lines if not name.startswith("#")}


def test_metrics(figures: dict[str, Any]) -> None:
    assert figures['mesonet_queue_jobs{state="running"}'] == 1
    assert figures['mesonet_queue_jobs{state="waiting"}'] == 1
    assert figures["mesonet_queue_images"] == 17
    assert figures["mesonet_queue_bytes"] == 1000
    assert figures["mesonet_queue_oldest_seconds"] >= 0
    assert figures["mesonet_workers"] == 0
    assert figures["mesonet_background_images_total"] == 15
    assert figures["process_resident_memory_bytes"] > 1e6
    documented = (ROOT / "docs" / "deployment.md").read_text()
    ours = {name.split("{")[0] for name in figures if name.startswith("mesonet_")}
    for name in ours:
        stem = re.sub(r"_(bucket|count|sum|created)$", "", name)
        assert f"`{stem}" in documented or f"`{stem}_total" in documented, name
