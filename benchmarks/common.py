"""What the benchmarks share."""

import math
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from mesonet.datasets.class_folders import ClassFolders


def link_images(data: Path, target: Path, count: int) -> Path:
    """Make a data folder of ``count`` links to images of another, evenly drawn."""
    folders = ClassFolders.read(data)
    names = folders.names
    step = len(folders) / count
    for number in range(count):
        index = int(number * step)
        name = names[index]
        link = target / name.parent / f"{number:06}{name.suffix}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folders.paths[index].resolve())
    return target


def interleaved(
    rounds: int, clock: Callable[[], float] = time.perf_counter, **ways: Callable[[], object]
) -> dict[str, list[float]]:
    """Seconds of every way, round by round, so that a slow moment hits all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = clock()
            way()
            seconds[name].append(clock() - started)
    return seconds


def ratio(seconds: dict[str, list[float]], ours: str, reference: str) -> float:
    """Median over the rounds of how many times faster ours is."""
    pairs = zip(seconds[reference], seconds[ours], strict=True)
    return statistics.median(theirs / own for theirs, own in pairs)


def rate(count: int, seconds: list[float]) -> float:
    """Images per second, by the median round."""
    return count / statistics.median(seconds)


def markdown_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; floats have three digits, and None or NaN is a dash."""

    def cell(value: object) -> str:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return "-"
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    lines = ["| " + " | ".join(titles) + " |", "| --- " * len(titles) + "|"]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return "\n".join(lines)


def own_command() -> str:
    """The command line of the running benchmark, as it is typed."""
    return shlex.join(["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]])


def write_page(path: Path, text: str, *parts: str) -> None:
    """Write a page of the benchmarks: its text, the command, and tables with their titles."""
    path.write_text("\n\n".join([text.strip(), f"    {own_command()}", *parts]) + "\n")
    print("\n\n".join(parts))
