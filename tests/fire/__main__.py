"""``python -m tests.fire``: what strangers and bad luck may do, and how much was withstood."""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tests.fire import clips, images, jobs, models, sockets, trouble, web

T = TypeVar("T")

_MEGABYTES = 1_500
"""How large the process may become."""


def campaign(
    name: str, items: Iterable[T], hold: Callable[[T], str | None], seconds: float, least: int = 0
) -> int:
    """Try items for some time, tell of those that were not withstood, and count them.

    Fewer than `least` for want of time count as one more that was not withstood.
    """
    tried = held = 0
    end = time.monotonic() + seconds
    for item in items:
        tried += 1
        if wrong := hold(item):
            print(f"  {name} {tried}: {wrong}")
        else:
            held += 1
        if time.monotonic() > end:
            break
    failed = tried - held
    if tried < least:
        failed += 1
        print(f"  {name}: only {tried} of {least} were tried in {seconds:.0f} s")
    print(f"{name:<18}{tried:>7} tried {held:>7} held {failed:>5} failed")
    return failed


def main() -> int:
    """Run the campaign; the exit code is 1 where something was not withstood."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="of each kind")
    parser.add_argument("--kills", type=int, default=3, help="of workers, all of which are wanted")
    parser.add_argument("--seconds", type=float, default=60, help="at most, for each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    count, draw = options.count, random.Random(options.seed)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        site = web.Site(folder)
        refused = {"refused": True}
        doors: dict[str, tuple[Iterable[Any], Callable[[Any], str | None]]] = {
            "crafted images": (images.crafted(), partial(images.hold, **refused)),
            "mutated images": (images.mutated(count, draw), images.hold),
            "mutated clips": (clips.mutated(count, draw), clips.hold),
            "crafted models": (models.crafted(folder / "crafted"), partial(models.hold, **refused)),
            "mutated models": (models.mutated(count, draw, folder), models.hold),
            "mutated requests": (web.mutated(count, draw), site.hold),
            "hostile clients": (sockets.hostile(count, draw), sockets.Clients(site).hold),
            "killed workers": (jobs.moments(options.kills, draw), jobs.Jobs(site).hold),
            "full disks": (trouble.requests(count, draw), trouble.FullDisk(site).hold),
            "locked databases": (trouble.requests(count, draw), trouble.Locked(site).hold),
        }
        least = {"killed workers": options.kills}
        failed = sum(
            campaign(name, items, hold, options.seconds, least.get(name, 0))
            for name, (items, hold) in doors.items()
        )
    megabytes = _largest_memory()
    print(f"largest memory {megabytes} MB")
    return int(failed > 0 or megabytes > _MEGABYTES)


def _largest_memory() -> int:
    """In MB, of this process alone: `getrusage` counts that of the one that started it, too."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line[:5] == "VmHWM")) // 1024


if __name__ == "__main__":
    sys.exit(main())
