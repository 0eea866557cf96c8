"""Models that take too long to load, or bring down what loads them."""

from pathlib import Path
from typing import Any

import pytest
from tests.hostile import oversized_models
from tests.integration.server.helpers import upload

from classifiers import loading_check
from classifiers.loading_check import check_loading
from mesonet.errors import ModelFileError

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_is_enough]


def test_a_good_model_passes(model_file: Path) -> None:
    check_loading(model_file, 600)


def test_what_is_refused_is_refused_with_its_reason(tmp_path: Path) -> None:
    path = next(iter(oversized_models(tmp_path).values()))
    with pytest.raises(ModelFileError, match="could not be loaded"):
        check_loading(path, 600)


@pytest.mark.parametrize(
    ("program", "seconds", "reason"),
    [
        ("import time; time.sleep(600)", 1, "takes longer than 1 seconds to load"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", 600, "that loads it crash"),
    ],
)
def test_what_takes_too_long_or_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, seconds: float, reason: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!{loading_check.sys.executable}\n{program}\n")
    python.chmod(0o755)
    monkeypatch.setattr(loading_check.sys, "executable", str(python))
    with pytest.raises(ModelFileError, match=reason):
        check_loading(tmp_path / "model.keras", seconds)


@pytest.mark.django_db(transaction=True)
def test_the_worker_tells_what_was_wrong(
    model_file: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from classifiers import loading

    def slow(path: Path, seconds: float) -> None:
        raise ModelFileError(path, f"takes longer than {seconds:g} seconds to load")

    settings.CLASSIFIERS_LOAD_SECONDS = 7
    monkeypatch.setattr(loading, "check_loading", slow)
    loading._loaded.clear()
    model = upload(model_file, "slow")
    assert model.state == "failed"
    assert model.message == "The model file takes longer than 7 seconds to load."
