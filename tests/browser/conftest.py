"""A real server with its worker and the released default, and Chromium to look at it."""

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from skimage.io import imsave
from tests.clips import nobody, portrait, write_clip

from mesonet.demo.forgeries import FORGERIES

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("django", reason="the server's packages are not installed")


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SERVE = "from mesonet.cli import main; main()"
OURS = ("SECRET_KEY", "MESONET_HOME", "DATABASE_URL", "DJANGO_SETTINGS_MODULE")
WAIT = 300_000
"""Milliseconds; the machine may have other things to do."""


@dataclass(frozen=True)
class Site:
    """Where the server is, and who may look after it."""

    address: str
    password: str
    home: Path
    process: subprocess.Popen[str]

    def sql(self, command: str, *values: object) -> None:
        """Change the database behind the server's back."""
        with closing(sqlite3.connect(self.home / "mesonet.sqlite3", timeout=60)) as database:
            database.execute(command, values)
            database.commit()

    def wait_for_ever(self) -> str:
        """The address of a check that no worker takes up: lost ones are queued again by age."""
        detection = uuid4()
        columns = {
            "id": detection.hex,
            "model_name": "standard",
            "threshold": 0.5,
            "layers": "[]",
            "names": "[]",
            "faces": "find",
            "pictures": "",
            "images": 1,
            "processed": 0,
            "results": "[]",
            "explain": 0,
            "frames": 0,
            "frames_done": 0,
            "stored_bytes": 0,
            "state": "waiting",
            "message": "",
            "created_at": "2999-01-01 00:00:00",
        }
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        table = f"insert into mesonet_api_detection ({names}) values ({marks})"  # noqa: S608
        self.sql(table, *columns.values())
        return f"/checks/{detection}/"


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled images: the demo's face, forgeries of it, and the photograph."""
    root = tmp_path_factory.mktemp("labelled")
    for folder in ("df", "real"):
        (root / folder).mkdir()
    face = np.ascontiguousarray(portrait()[30:190, 142:302])
    for name, forge in FORGERIES.items():
        imsave(root / "df" / f"{name.replace(' ', '-')}.png", forge(face), check_contrast=False)
    imsave(root / "real" / "face.png", face, check_contrast=False)
    imsave(root / "real" / "whole.png", portrait(256), check_contrast=False)
    return root


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, labelled: Path) -> Iterator[Site]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    environment |= dict.fromkeys(
        ("THROTTLE_ANONYMOUS", "THROTTLE_ANONYMOUS_DETECTION", "THROTTLE_USER"), ""
    )
    options = ["serve", "--port", str(port), "--home", str(home), "--data", str(labelled)]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, *options],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        cwd=home,
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "Ctrl-C stops it.\n")
    greeting = "".join(line for line in lines if line or pytest.fail("the server ended"))
    password = re.search(r"password (\S+)", greeting)
    assert password, greeting
    yield Site(f"http://127.0.0.1:{port}", password[1], home, process)
    process.terminate()
    assert process.wait(WAIT // 1000) == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=WAIT
        )
        yield browser
        browser.close()


def new_page(browser: Any, **options: Any) -> Any:
    """A page in a context of its own, with time to spare."""
    context = browser.new_context(**options)
    context.set_default_timeout(WAIT)
    return context.new_page()


@pytest.fixture
def page(browser: Any, site: Site) -> Iterator[Any]:
    """A page of its own for each test; an error in its console fails the test."""
    page = new_page(browser, base_url=site.address)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if is_wrong(message) else None)
    yield page
    page.context.close()
    assert not wrong, wrong


def is_wrong(message: Any) -> bool:
    """Whether the console tells of an error other than an answer that the test asked for."""
    return message.type == "error" and "Failed to load resource" not in message.text


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Photographs and a clip, by what is on them."""
    folder = tmp_path_factory.mktemp("media")
    face = portrait(512)
    pictures = {
        "one": face,
        "two": np.hstack([face, face[:, ::-1]]),
        "nobody": nobody(),
        "small": portrait(96),
        "dark": (face * 0.06).astype(np.uint8),
    }
    files = {}
    for name, picture in pictures.items():
        files[name] = folder / f"{name}.png"
        imsave(files[name], picture, check_contrast=False)
    files["text"] = folder / "text.jpg"
    files["text"].write_text("no picture")
    files["clip"] = folder / "clip.mp4"
    write_clip(files["clip"], [np.roll(face, 4 * step, axis=1) for step in range(20)])
    return files
