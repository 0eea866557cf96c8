"""Every operation of the schema, with requests that schemathesis makes up."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.server.live import Server

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

pytest.importorskip("schemathesis")


@pytest.mark.parametrize("who", ["staff", "anonymous"])
def test_the_server_keeps_to_its_schema(server: Server, who: str, tmp_path: Path) -> None:
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file"),
        *(str(Path(__file__).with_name("schemathesis.toml")), "run"),
        *(f"http://127.0.0.1:{server.port}/api/schema/", "--max-examples", "10", "--seed", "1"),
        *("--no-color", "--warnings", "off"),
    ]
    if who == "staff":
        command += ["--header", f"Authorization: Token {server.token}"]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=900, cwd=tmp_path, check=False
    )
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    assert server.get("/api/v1/livez") == 200
