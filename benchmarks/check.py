"""Where the time of a check goes, as ratios against decoding alone and finding faces alone.

    python -m benchmarks.check PHOTO CLIP [--model MODEL] [--rounds N]

Everything runs in one process, in turns, after a warm-up; medians of the rounds. The whole check of
a photograph also tests whether its verdict holds; the quick one does not.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

from mesonet.checking import FRAMES, Checker
from mesonet.media import Limits, Photo, open_medium


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo")
    parser.add_argument("clip")
    parser.add_argument("--model", default=Checker.default)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    checker = Checker(options.model)
    quick = Checker(checker.detector, faces=checker.faces, quick=True)
    print("| medium | step | seconds, median | against decoding | against finding faces |")
    print("| --- | --- | --- | --- | --- |")
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
        decoding, finding = taken["decoding alone"], taken["and finding faces"]
        for step, seconds in taken.items():
            ratios = f"{seconds / decoding:.2f} | {seconds / finding:.2f}"
            print(f"| {name} | {step} | {seconds:.3f} | {ratios} |")
    command = [sys.executable, "-c", "from mesonet.cli import main; main()", "check", options.photo]
    processes = {"a process": lambda: subprocess.run(command, capture_output=True, check=False)}
    print(f"| photograph | a cold process | {measure(processes, 3)['a process']:.3f} | | |")


def measure(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of every step."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in seconds.items()}


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
