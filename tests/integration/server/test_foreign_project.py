"""The app in somebody else's project, which adds it and its settings and nothing more."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.server.helpers import picture

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_is_enough]

PROJECT = Path(__file__).parents[2] / "foreign_project"

SCRIPT = """
import json
from django.core.files import File
from django.test import Client
from classifiers.models import MLModel

with open("one.h5", "rb") as file:
    model = MLModel(model_name="Model 1", model_desc="small", model_file=File(file, "one.h5"))
    model.save()
print("RESULT", json.dumps({
    "state": model.state,
    "accuracy": model.accuracy,
    "layers": len(model.conv_layers),
    "predictions": Client().get("/predictions/3", headers={"host": "localhost"}).json(),
}))
"""


def manage(folder: Path, *arguments: str) -> str:
    ours = ("DJANGO_SETTINGS_MODULE", "MESONET_HOME", "SECRET_KEY", "DATABASE_URL")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    result = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_another_project(tmp_path: Path, model_file: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(model_file, folder / "one.h5")
    for name in ("fake", "real"):
        (folder / "media" / "data" / name).mkdir(parents=True)
        for index in range(3):
            (folder / "media" / "data" / name / f"{index}.png").write_bytes(picture(index))

    assert "no issues" in manage(folder, "check")
    manage(folder, "migrate", "-v0")
    output = manage(folder, "shell", "-v0", "-c", SCRIPT)
    result = json.loads(output.split("RESULT", 1)[1])

    assert result["state"] == "done"
    assert result["accuracy"] == 50
    assert result["layers"] == 4
    assert len(result["predictions"]) == 3
    assert {entry["true_label"] for entry in result["predictions"]} <= {"fake", "real"}
    assert result["predictions"][0]["img_url"].startswith("/media/data/")
    assert (folder / "models" / "trained_models" / "model_1.h5").exists()
