"""A job of many images, scored by one worker, by two, and by two of which one is killed.

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
            print(f"  one worker killed after {document['processed']} images")
        time.sleep(0.2)
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
    with running(workers=1, MAX_IMAGES=str(options.job), WORKER_TIMEOUT="5") as site:
        score(site, job[:16])
        one = score(site, job)
        print(f"one worker: {one:.1f} s, {len(job) / one:.1f} images/s")
        site.workers.append(site.start_worker("second"))
        score(site, job)  # it loads the model
        two = score(site, job)
        print(f"two workers: {two:.1f} s, {one / two:.2f} x")
        killed = score(site, job, kill=site.workers[0])
        print(f"two workers, one killed: {killed:.1f} s, each image kept once")


if __name__ == "__main__":
    main()
