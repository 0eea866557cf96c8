"""A web server process for tests."""

import http.client
import re
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.integration.server.helpers import child_environment, wait_until

from mesonet_site.serve import web_command

_THROTTLES = (
    *("THROTTLE_ANONYMOUS", "THROTTLE_ANONYMOUS_DETECTION"),
    *("THROTTLE_USER", "THROTTLE_USER_DETECTION"),
)


def form(files: list[tuple[str, str, bytes]], **fields: str) -> bytes:
    """A multipart form whose boundary is ``b``."""
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
        for name, value in fields.items()
    ]
    parts += [
        f'Content-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'.encode()
        + content
        for name, file, content in files
    ]
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


class Server:
    """A running web server."""

    def __init__(self, home: Path, token: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.token = token
        environment = child_environment(home, LOG_LEVEL="ERROR", **dict.fromkeys(_THROTTLES, ""))
        environment["DJANGO_SETTINGS_MODULE"] = "mesonet_site.settings"
        (home / "static").mkdir()
        self.process = subprocess.Popen(
            web_command("127.0.0.1", self.port), env=environment, cwd=home
        )
        wait_until(lambda: self.get("/api/v1/livez") == 200)

    def get(self, path: str) -> int:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0

    def post(
        self, path: str, files: list[tuple[str, str, bytes]], **fields: str
    ) -> tuple[int, str]:
        """Status and content of the answer to a form."""
        body = form(files, **fields)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        if path.endswith("models"):
            headers["Authorization"] = f"Token {self.token}"
        with suppress(BrokenPipeError, ConnectionResetError):  # it answers before it has read all
            connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def detect(self, content: bytes, name: str = "face.png") -> tuple[int, str]:
        return self.post("/api/v1/detections", [("image", name, content)])

    def peak_megabytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024
