"""Where the time of a check goes, as ratios against decoding alone and finding faces alone.

    python -m benchmarks.check PHOTO CLIP [--model MODEL] [--rounds N]

Everything runs in one process, in turns, after a warm-up; medians of the rounds. The whole check of
a photograph also tests whether its verdict holds; the quick one does not. Seconds of the processor,
over all cores, say more than the clock where others use the machine.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

from mesonet.checking import FRAMES, Checker
from mesonet.media import Limits, Photo, open_medium
from mesonet.weights import best_ready


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo")
    parser.add_argument("clip")
    parser.add_argument("--model", default=best_ready())
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    checker = Checker(options.model)
    quick = Checker(checker.detector, faces=checker.faces, quick=True)
    print("| medium | step | seconds | of the processor | against decoding | finding faces |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, steps in (
        (
            "photograph",
            {
                "decoding alone": lambda: decode(options.photo),
                "and finding faces": lambda: find(checker, options.photo),
                "quick check": lambda: quick.check(options.photo),
                "check": lambda: checker.check(options.photo),
            },
        ),
        (
            "clip",
            {
                "decoding alone": lambda: decode(options.clip),
                "and finding faces": lambda: find(checker, options.clip),
                "check": lambda: checker.check(options.clip),
            },
        ),
    ):
        taken = measure(steps, options.rounds)
        decoding, finding = taken["decoding alone"][1], taken["and finding faces"][1]
        for step, (seconds, busy) in taken.items():
            ratios = f"{busy / decoding:.2f} | {busy / finding:.2f}"
            print(f"| {name} | {step} | {seconds:.3f} | {busy:.3f} | {ratios} |")
    command = [sys.executable, "-c", "from mesonet.cli import main; main()"]
    command += ["check", options.photo, "--model", options.model]
    processes = {"a process": lambda: subprocess.run(command, capture_output=True, check=False)}
    seconds, busy = measure(processes, 3)["a process"]
    print(f"| photograph | a cold process | {seconds:.3f} | {busy:.3f} | | |")


def measure(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, tuple[float, float]]:
    """Median seconds of every step, by the clock and of the processor."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            start, busy = time.perf_counter(), processor_seconds()
            step()
            if number:
                taken[name].append((time.perf_counter() - start, processor_seconds() - busy))
    return {
        name: (median(clock for clock, _ in values), median(busy for _, busy in values))
        for name, values in taken.items()
    }


def processor_seconds() -> float:
    """What this process and those it waited for have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def frames(path: str) -> list[object]:
    """The frames that a check looks at."""
    medium = open_medium(path, path, Limits())
    if isinstance(medium, Photo):
        return [medium.pixels]
    return [frame.pixels for frame in medium.frames(FRAMES)]


def decode(path: str) -> None:
    """Read a medium."""
    frames(path)


def find(checker: Checker, path: str) -> None:
    """Read a medium and find the faces."""
    pictures = frames(path)
    for pixels in pictures:
        checker.faces.find(pixels, quick=len(pictures) > 1)


if __name__ == "__main__":
    main()
