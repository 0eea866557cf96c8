"""``docs/embedding.md``, followed to the letter in an empty folder."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.clips import portrait

pytestmark = [  # a new project, its worker and its server
    pytest.mark.slow,
    pytest.mark.sqlite_is_enough,
]

PAGE = Path(__file__).parents[3] / "docs" / "embedding.md"
OURS = ("DJANGO_SETTINGS_MODULE", "MESONET_HOME", "SECRET_KEY", "DATABASE_URL")
HEAD = "set -eu\npip() { :; }\n"


def script(port: int) -> str:
    """The page's first chapter: files are added to, commands are run."""
    chapter = PAGE.read_text().split("\n## ")[1]
    parts = [HEAD]
    for kind, block in re.findall(r"```(\w+)\n(.*?)```", chapter, re.DOTALL):
        if kind == "python":
            parts.append(f"cat >>{block.split()[1]} <<'END'\n{block}END\n")
        else:
            parts.append(block.replace("8000", str(port)).replace("face.jpg", "../face.jpg"))
    return "".join(parts)


def test_from_nothing_to_a_verdict(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    Image.fromarray(portrait(600)).save(tmp_path / "face.jpg")
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    process = subprocess.Popen(
        ["bash", "-c", script(port)],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=(tmp_path / "errors").open("w"),
        text=True,
        start_new_session=True,
    )
    try:
        assert process.wait(900) == 0, (tmp_path / "errors").read_text()[-3000:]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    assert process.stdout is not None
    output = process.stdout.read()
    assert "System check identified no issues" in output
    assert '"status":"ok"' in output
    answer, _ = json.JSONDecoder().raw_decode(output[output.index('{"id"') :])
    (record,) = answer["results"]
    assert record["path"] == "face.jpg"
    assert record["verdict"] is not None
    assert 0 <= record["fake_probability"] <= 1
    assert record["pictures"]["scene"].startswith(f"http://127.0.0.1:{port}/media/faces/")
    assert (tmp_path / "newsroom" / "models" / "trained_models").is_dir()
