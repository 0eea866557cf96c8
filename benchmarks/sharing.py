"""A job of many images, scored by two workers, by two of which one is killed, and by one.

    tests/with_postgres.sh python -m benchmarks.sharing [--job 500]

Says how long each took, and fails unless every image was kept once and in its place.
"""

import argparse
import signal
import subprocess
import sys
import time

from benchmarks.running_server import Site, pictures, running


def score(site: Site, job: list[bytes], kill: subprocess.Popen[bytes] | None = None) -> float:
    """Seconds until a job is done; a worker may be killed when a third is."""
    address = site.send_job(job)
    started = time.monotonic()
    while True:
        document = site.get(address)[1]
        if document["state"] not in ("waiting", "running"):
            break
        if kill and document["processed"] > len(job) / 3:
            kill.send_signal(signal.SIGKILL)
            kill.wait()
            kill = None
            print(f"  one worker killed after {document['processed']} images", flush=True)
        time.sleep(1)
    seconds = time.monotonic() - started
    names = [result["name"] for result in document["results"]]
    whole = [f"{number}.jpg" for number in range(len(job))]
    scored = all(result["fake_probability"] is not None for result in document["results"])
    if document["state"] != "done" or names != whole or not scored:
        sys.exit(f"not every image was kept once: {document['state']}, {len(names)} results")
    return seconds


def main() -> None:
    """Run the three."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--job", type=int, default=500)
    options = parser.parse_args()
    job = pictures(options.job)
    with running(workers=2, MAX_IMAGES=str(options.job), WORKER_TIMEOUT="5") as site:
        score(site, job[:64])  # both load the model
        two = score(site, job)
        print(f"two workers: {two:.1f} s, {len(job) / two:.1f} images/s", flush=True)
        killed = score(site, job, kill=site.workers[1])
        print(f"two workers, one killed: {killed:.1f} s, each image kept once", flush=True)
        one = score(site, job)
        print(f"one worker: {one:.1f} s; two are {one / two:.2f} x as fast", flush=True)


if __name__ == "__main__":
    main()
