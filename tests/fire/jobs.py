"""Workers that are killed while they work."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests import hostile_images
from tests.fire import web

IMAGES = 40
_SECONDS = 900
"""How long a worker may take, also on a machine that has much else to do."""


def moments(count: int, draw: random.Random) -> Iterator[float]:
    """After how many seconds of work each worker is killed."""
    for _ in range(count):
        yield draw.uniform(0, 2)


class Jobs:
    """A job of many images for each kill; the next worker has to finish it."""

    def __init__(self, site: web.Site) -> None:
        self._site = site
        os.environ.update(WORKER_TIMEOUT="3", LOG_LEVEL="CRITICAL")
        images = [
            web.file("image", hostile_images.encode(hostile_images.noise(40, 40, seed), "PNG"))
            for seed in range(IMAGES)
        ]
        self._request = web.multipart("/api/v1/detections", *images, web.field("faces", "whole"))

    def hold(self, moment: float) -> str | None:
        """What is wrong with a job whose worker was killed; None where it was finished once."""
        from mesonet_site.api.models import Detection

        answered = self._site.answer(self._request)
        if answered is None or answered[0] != 202:
            return f"the job was not taken: {answered and answered[0]}"
        job = Detection.objects.latest("created_at")
        with self._worker() as worker:
            self._wait(lambda: self._reload(job).state != "waiting")
            time.sleep(moment)
            worker.kill()
        with self._worker() as worker:
            folder = self._site.home / "uploads" / str(job.id)
            finished = self._wait(lambda: self._reload(job).state not in Detection.UNFINISHED)
            clean = self._wait(lambda: not folder.exists())
            worker.kill()
        if not finished or job.state != "done":
            return f"killed after {moment:.2f} s of work, it is {job.state}: {job.message}"
        if len(job.results) != IMAGES or any(result["error"] for result in job.results):
            return f"killed after {moment:.2f} s of work, it has {len(job.results)} results"
        return None if clean else "it left its images behind"

    @staticmethod
    def _worker() -> subprocess.Popen[bytes]:
        from mesonet_site import parent

        command = [sys.executable, "-m", "mesonet_site", "run_worker", "--interval", "0.1"]
        return parent.start([*command, "--verbosity", "0"])

    @staticmethod
    def _reload(job: Any) -> Any:
        job.refresh_from_db()
        return job

    @staticmethod
    def _wait(condition: Callable[[], bool]) -> bool:
        limit = time.monotonic() + _SECONDS
        while not condition():
            if time.monotonic() > limit:
                return False
            time.sleep(0.05)
        return True
