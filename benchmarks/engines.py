"""The local engine against Ray on this machine: rates, rows, memory, and what kills cost.

    python -m benchmarks.engines DATA [--images 20000] [--workers 2] [--shard-size 1000]

Links to the images of DATA are scored by `mesonet predict --format parquet`, by one engine after
the other. A rate is that from the first part to the last, so start-up is left out. Then a run on
Ray loses a worker, later the whole command is killed, and `--resume` finishes it.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
from benchmarks.common import link_images

COMMAND = [sys.executable, "-c", "from mesonet.cli import main; main()", "predict"]


def main() -> None:
    """Print a table, and whether rows were lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--model", default="meso4")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shard-size", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = link_images(arguments.data, Path(work) / "images", arguments.images)
        local, by_ray, killed = (Path(work) / name for name in ("local", "ray", "killed"))
        command = [*COMMAND, str(folder), "-m", arguments.model, "--format", "parquet"]
        command += ["--shard-size", str(arguments.shard_size), "--output"]
        ray = ["--engine", "ray", "--workers", str(arguments.workers)]
        rates = {}
        for name, output, engine in (("local", local, []), ("ray", by_ray, ray)):
            peak = finish(subprocess.Popen([*command, str(output), *engine]))
            rates[name] = rate(output)
            print(f"{name}: {rates[name]:.0f} images/s, {peak:.0f} MiB at most", flush=True)
        print(f"ray / local: {rates['ray'] / rates['local']:.2f}")
        print(f"same rows: {rows(by_ray) == rows(local)}", flush=True)

        process = subprocess.Popen([*command, str(killed), *ray])
        wait_for_parts(process, killed, 1)
        workers = [pid for pid in below(process.pid) if b"MapWorker" in command_line(pid)]
        os.kill(workers[0], signal.SIGKILL)
        print(f"killed worker {workers[0]} of {len(workers)}", flush=True)
        wait_for_parts(process, killed, 3)
        process.kill()
        process.wait()
        print(f"killed the command; {len(rows(killed)):,} rows are there", flush=True)
        finish(subprocess.Popen([*command, str(killed), "--resume", *ray]))
        print(f"after --resume the same rows: {rows(killed) == rows(local)}")


def finish(process: subprocess.Popen[bytes]) -> float:
    """Wait for a command and return its peak resident memory in MiB."""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the command ended with {status}")
    return usage.ru_maxrss / 1024


def wait_for_parts(process: subprocess.Popen[bytes], output: Path, count: int) -> None:
    """Wait until so many parts are there."""
    while len(list(output.glob("part-*"))) < count:
        if process.poll() is not None:
            raise SystemExit("the command ended too early; give more images or smaller shards")
        time.sleep(0.1)


def rate(output: Path) -> float:
    """Rows a second, from the first part to the last."""
    parts = sorted((part.stat().st_mtime, part) for part in output.glob("part-*"))
    counted = sum(pq.read_metadata(part).num_rows for _, part in parts[1:])
    return counted / (parts[-1][0] - parts[0][0])


def rows(output: Path) -> list[tuple[str, float]]:
    """Path and score of every row, sorted; scores to six digits."""
    table = pq.read_table(output, columns=["path", "fake_probability"])
    pairs = zip(table["path"].to_pylist(), table["fake_probability"].to_pylist(), strict=True)
    return sorted((path, round(score, 6)) for path, score in pairs)


def below(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            facts = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(facts[1])
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def command_line(pid: int) -> bytes:
    """How a process calls itself."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    main()
