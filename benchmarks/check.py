"""Where the time of a check goes, and how much of it decoding and the two networks need alone.

    python -m benchmarks.check PHOTOS CLIP [--model MODEL] [--rounds N]

PHOTOS is a photograph, or a folder whose photographs are checked several at once. Everything runs
in one process, in turns, after a warm-up; medians of the rounds. The networks run alone on what a
check gave them. The whole check of a photograph also tests whether its verdict holds; the quick one
does not. Seconds of the processor, over all cores, say more than the clock where others use the
machine.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from statistics import median
from typing import Any
from unittest.mock import patch

from mesonet.checking import FRAMES, Checker
from mesonet.detector import Detector
from mesonet.faces import CenterFace
from mesonet.images.finding import find_images
from mesonet.media import Limits, Photo, open_medium
from mesonet.parallel import cores, map_ahead
from mesonet.weights import best_ready

ALONE = ("decoding alone", "network of the faces alone", "network of the detector alone")


def main() -> None:
    """Print a table, and the shares of the networks and decoding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos")
    parser.add_argument("clip")
    parser.add_argument("--model", default=best_ready())
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    photos = [str(path) for path in find_images([options.photos])[0]]
    detector = Detector.load(options.model)
    several = CenterFace(streams=cores())
    faces = CenterFace() if len(photos) == 1 else several
    quick = Checker(detector, faces=faces, quick=True)
    quickly = {"quick check": lambda: list(quick.check_all(photos))}
    print("| medium | step | seconds | of the processor | against decoding | finding faces |")
    print("| --- | --- | --- | --- | --- | --- |")
    shares = [
        show("photographs", Checker(detector, faces=faces), photos, options.rounds, quickly),
        show("clip", Checker(detector, faces=several), [options.clip], options.rounds, {}),
    ]
    command = [sys.executable, "-c", "from mesonet.cli import main; main()"]
    command += ["check", photos[0], "--model", options.model]
    processes = {"a process": lambda: subprocess.run(command, capture_output=True, check=False)}
    seconds, busy = measure(processes, 3)["a process"]
    print(f"| one photograph | a cold process | {seconds:.3f} | {busy:.3f} | | |\n")
    print("\n".join(shares))


def show(
    name: str, checker: Checker, paths: list[str], rounds: int, more: dict[str, Callable[[], Any]]
) -> str:
    """Print the rows of some media; tell what decoding and the networks alone are of a check."""
    looks, prepared = seen_by_the_networks(checker, paths)
    steps = {
        "decoding alone": lambda: at_once(frames, paths),
        "network of the faces alone": lambda: at_once(checker.faces._infer, looks),
        "network of the detector alone": lambda: at_once(checker.detector.raw_scores, prepared),
        "decoding and finding faces": lambda: at_once(partial(find, checker.faces), paths),
        **more,
        "check": lambda: list(checker.check_all(paths)),
    }
    taken = measure(steps, rounds)
    decoding, finding = taken["decoding alone"][1], taken["decoding and finding faces"][1]
    for step, (seconds, busy) in taken.items():
        ratios = f"{busy / decoding:.2f} | {busy / finding:.2f}"
        print(f"| {name} | {step} | {seconds:.3f} | {busy:.3f} | {ratios} |")
    clock, busy = (
        sum(taken[step][which] for step in ALONE) / taken["check"][which] for which in (0, 1)
    )
    return f"{name}: alone, summed, {clock:.0%} of the check's time, {busy:.0%} of its processor's"


def seen_by_the_networks(checker: Checker, paths: list[str]) -> tuple[list[Any], list[Any]]:
    """What the networks of the faces and of the detector are given in a check."""
    given: tuple[list[Any], list[Any]] = ([], [])
    infer, score = CenterFace._infer, Detector.raw_scores
    with (
        patch.object(CenterFace, "_infer", lambda *at: given[0].append(at[1]) or infer(*at)),
        patch.object(Detector, "raw_scores", lambda *at: given[1].append(at[1]) or score(*at)),
    ):
        list(checker.check_all(paths))
    return given


def at_once(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Apply a function as a check does, to one item on each core."""
    return list(map_ahead(function, items, cores()))


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
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def frames(path: str) -> list[object]:
    """The frames that a check looks at."""
    medium = open_medium(path, path, Limits())
    if isinstance(medium, Photo):
        return [medium.pixels]
    return [frame.pixels for frame in medium.frames(FRAMES)]


def find(faces: CenterFace, path: str) -> None:
    """Read a medium and find the faces."""
    pictures = frames(path)
    at_once(partial(faces.find, quick=len(pictures) > 1), pictures)


if __name__ == "__main__":
    main()
