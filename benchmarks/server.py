"""Single-image detections by HTTP, beside the library's own rate in the same run.

    python benchmarks/server.py MODEL IMAGES

starts the web server on a database of its own, scores images one by one with the library, then
as many by HTTP one after the other, and then from 16 clients at once. The probabilities must
agree.
"""

import argparse
import http.client
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from mesonet.detector import Detector, Verdict
from mesonet.images.finding import find_images

PORT = 8771
SECONDS_TO_START = 300
BOUNDARY = "mesonet"
REGISTER = """
from classifiers.models import MLModel
from django.core.files import File
with open({path!r}, "rb") as file:
    MLModel(model_name="meso4", model_desc="-", model_file=File(file, {path!r})).save()
"""


@contextmanager
def server(home: Path, model: Path) -> Iterator[int]:
    """Run the web server as ``mesonet serve`` does; gives the id of its process."""
    from mesonet_site.serve import web_command

    environment = os.environ | {
        "MESONET_HOME": str(home),
        "SECRET_KEY": "benchmark",
        "BACKGROUND_WORKER": "false",
        "LOG_LEVEL": "WARNING",
        "THROTTLE_ANONYMOUS_DETECTION": "",
        "DJANGO_SETTINGS_MODULE": "mesonet_site.settings",
    }
    manage = [sys.executable, "-m", "mesonet_site"]
    (home / "static").mkdir()
    subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)
    register = REGISTER.format(path=str(model.resolve()))
    subprocess.run([*manage, "shell", "-v0", "-c", register], env=environment, check=True)
    process = subprocess.Popen(web_command("127.0.0.1", PORT), env=environment)
    try:
        latest = time.monotonic() + SECONDS_TO_START
        while not _is_ready():
            if time.monotonic() > latest or process.poll() is not None:
                raise RuntimeError("the server did not start")
            time.sleep(0.2)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _is_ready() -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", PORT)
        connection.request("GET", "/api/v1/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False


class Client(threading.local):
    """One connection per thread."""

    def __init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT)

    def detect(self, body: bytes) -> tuple[float, float]:
        """Seconds that a detection took, and its probability."""
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        started = time.perf_counter()
        self.connection.request("POST", "/api/v1/detections", body, headers)
        response = self.connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        if response.status != 201:
            raise RuntimeError(f"{response.status}: {content.decode()}")
        return seconds, json.loads(content)["results"][0]["fake_probability"]


def multipart(path: Path) -> bytes:
    """A request body with one image."""
    head = (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
        f'name="image"; filename="{path.name}"\r\n\r\n'
    )
    return head.encode() + path.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()


def library(detector: Detector, paths: Sequence[Path]) -> tuple[float, list[float]]:
    """Images per second, one call for each, and their probabilities."""
    scores = []
    started = time.perf_counter()
    for path in paths:
        (verdict,) = detector.predict([path])
        if not isinstance(verdict, Verdict):
            raise TypeError(f"{path} cannot be read")
        scores.append(verdict.fake_probability)
    return len(paths) / (time.perf_counter() - started), scores


def report(name: str, count: int, seconds: float, times: list[float], rate: float) -> None:
    """Print one line of the result."""
    ordered = sorted(times)
    print(
        f"{name:<16}{count / seconds:7.1f} images/s, {count / seconds / rate:5.2f} x library, "
        f"p50 {1000 * ordered[len(ordered) // 2]:6.1f} ms, "
        f"p99 {1000 * ordered[int(0.99 * len(ordered))]:6.1f} ms"
    )


def peak_megabytes(pid: int) -> float:
    """Largest resident memory of the web process so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    paths = find_images([options.images])[0]
    paths = paths[:: max(1, len(paths) // options.count)][: options.count]
    bodies = [multipart(path) for path in paths]

    detector = Detector.load(options.model)
    library(detector, paths[:20])
    client = Client()
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), options.model) as pid:
        for body in bodies[:20]:
            client.detect(body)
        before, expected = library(detector, paths)

        started = time.perf_counter()
        answers = [client.detect(body) for body in bodies]
        sequential = time.perf_counter() - started

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(client.detect, bodies[:32]))
            started = time.perf_counter()
            at_once = list(pool.map(client.detect, bodies * 3))
            concurrent = time.perf_counter() - started
        after, _ = library(detector, paths)
        memory = peak_megabytes(pid)

    rate = (before + after) / 2
    difference = max(abs(a[1] - e) for a, e in zip(answers, expected, strict=True))
    print(f"{'library':<16}{rate:7.1f} images/s, one image a call ({before:.0f}, {after:.0f})")
    report("HTTP, 1 client", len(bodies), sequential, [seconds for seconds, _ in answers], rate)
    report("HTTP, 16 clients", len(at_once), concurrent, [s for s, _ in at_once], rate)
    print(f"largest difference of a probability {difference:.1e}")
    print(f"peak memory of the web process {memory:.0f} MB")
    print(f"CPU seconds of this client {resource.getrusage(resource.RUSAGE_SELF).ru_utime:.1f}")


if __name__ == "__main__":
    main()
