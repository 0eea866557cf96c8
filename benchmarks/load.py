"""Many clients at once, while a job of many images is scored in the background.

    python -m benchmarks.load [--clients 16 64] [--seconds 60] [--job 500]

Each client sends one face crop after the other, and waits as long as ``Retry-After`` says where it
is sent away. It fails unless every answer is a score, or 429 or 503 with ``Retry-After``, and 99 %
of the answers came within the deadline; memory of the web process is printed at its start, middle
and end.
"""

import argparse
import http.client
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.running_server import HEADERS, Site, form, megabytes, pictures, running

DEADLINE = 20.0
"""Seconds within which 99 % of the answers come, those of 503 included."""


@dataclass
class Answers:
    """What the clients of one round have seen."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def client(port: int, bodies: list[bytes], until: float, answers: Answers) -> None:
    """Send one image after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    number = 0
    while time.monotonic() < until:
        number += 1
        started = time.monotonic()
        try:
            connection.request("POST", "/api/v1/detections", bodies[number % len(bodies)], HEADERS)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            with answers.lock:
                answers.wrong.append(repr(error))
            connection.close()
            continue
        wait = answer.headers["Retry-After"]
        with answers.lock:
            answers.seconds.append(time.monotonic() - started)
            answers.statuses[str(answer.status)] += 1
            if answer.status != 201 and not (answer.status in (429, 503) and wait):
                answers.wrong.append(f"{answer.status}: {content[:200]!r}")
        if wait and answer.status != 201:
            time.sleep(min(float(wait), max(0.0, until - time.monotonic())))


def load(site: Site, clients: int, seconds: float, job: int) -> bool:
    """One round; prints a line and tells whether it held."""
    address = site.send_job(pictures(job))
    answers = Answers()
    bodies = [form([picture]) for picture in pictures(50)]
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=client, args=(site.port, bodies, until, answers))
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    memory = []
    while any(thread.is_alive() for thread in threads):
        memory.append(megabytes(site.web))
        time.sleep(1)
    ordered = sorted(answers.seconds)
    median, last = ordered[len(ordered) // 2], ordered[int(0.99 * len(ordered))]
    done = site.get(address)[1]["processed"]
    statuses = ", ".join(f"{count} x {status}" for status, count in answers.statuses.items())
    print(
        f"{clients} clients, {seconds:.0f} s: {statuses}, {len(answers.wrong)} wrong; "
        f"p50 {median:.2f} s, p99 {last:.2f} s; {done} of {job} in the background; memory "
        f"{memory[0]:.0f}, {memory[len(memory) // 2]:.0f}, {memory[-1]:.0f} MB"
    )
    for wrong in answers.wrong[:5]:
        print(f"  {wrong}")
    return not answers.wrong and last <= DEADLINE


def main() -> None:
    """Run the rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--job", type=int, default=500)
    options = parser.parse_args()
    with running(workers=1, MAX_IMAGES=str(options.job)) as site:
        held = [load(site, count, options.seconds, options.job) for count in options.clients]
    if not all(held):
        sys.exit(1)


if __name__ == "__main__":
    main()
