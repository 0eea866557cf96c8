"""A server for benchmarks: a home of its own, its web process and its workers."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from mesonet_site.serve import web_command, worker_command

_BOUNDARY = "mesonet"
_START_SECONDS = 600


class Site:
    """A server on a database of its own, or on that of ``DATABASE_URL``.

    Attributes:
        port: where it listens.
        web: the web process.
        workers: the workers.
    """

    def __init__(self, home: Path, workers: int, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._environment = os.environ | {
            "MESONET_HOME": str(home),
            "SECRET_KEY": "benchmark",
            "LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "mesonet_site.settings",
            **dict.fromkeys(("THROTTLE_ANONYMOUS", "THROTTLE_ANONYMOUS_DETECTION"), ""),
            **settings,
        }
        (home / "static").mkdir()
        for command in (["migrate", "-v0"], ["register_released", "-v0"]):
            program = [sys.executable, "-m", "mesonet_site", *command]
            subprocess.run(program, env=self._environment, check=True, stdout=subprocess.DEVNULL)
        self.web = subprocess.Popen(web_command("127.0.0.1", self.port), env=self._environment)
        self.workers = [self.start_worker(str(number)) for number in range(workers)]
        limit = time.monotonic() + _START_SECONDS
        while self.get("/api/v1/readyz")[0] != 200:
            if time.monotonic() > limit:
                raise TimeoutError("the server did not get ready")
            time.sleep(0.5)

    def start_worker(self, name: str) -> subprocess.Popen[bytes]:
        """Run one more worker."""
        command = [*worker_command(), "--interval", "0.2", "--worker-id", name]
        return subprocess.Popen(command, env=self._environment)

    def get(self, path: str) -> tuple[int, Any]:
        """Status and document of an answer; 0 where there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        except OSError:
            return 0, None
        finally:
            connection.close()

    def send_job(self, images: Sequence[bytes]) -> str:
        """Send images that are scored in the background; gives the address of the detection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request("POST", "/api/v1/detections", form(images), HEADERS)
        answer = connection.getresponse()
        document = json.load(answer)
        if answer.status != 202:
            raise RuntimeError(f"{answer.status}: {document}")
        return f"/api/v1/detections/{document['id']}"

    def stop(self) -> None:
        """End all processes."""
        processes = [self.web, *self.workers]
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


HEADERS = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}


def form(images: Sequence[bytes]) -> bytes:
    """A request body with face crops."""
    faces = b'Content-Disposition: form-data; name="faces"\r\n\r\nwhole'
    parts = [
        f'Content-Disposition: form-data; name="image"; filename="{number}.jpg"\r\n\r\n'.encode()
        + image
        for number, image in enumerate(images)
    ]
    mark = f"--{_BOUNDARY}".encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in (faces, *parts))
    return body + mark + b"--\r\n"


def pictures(count: int, size: int = 256) -> list[bytes]:
    """Random pictures as JPEG, each another one."""
    found = []
    for seed in range(count):
        small = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
        file = BytesIO()
        Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC).save(file, "JPEG")
        found.append(file.getvalue())
    return found


def megabytes(process: subprocess.Popen[bytes]) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def running(workers: int, **settings: str) -> Iterator[Site]:
    """A server that is ready."""
    with TemporaryDirectory() as folder:
        site = Site(Path(folder), workers, **settings)
        try:
            yield site
        finally:
            site.stop()
