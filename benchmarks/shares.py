"""Where the processor's time goes in `predict` and `check`, step by step, as shares.

    python -m benchmarks.shares predict FACES [--model MODEL] [--limit N]
    python -m benchmarks.shares check PHOTOS_OR_CLIPS [--model MODEL] [--limit N]

The command runs as it is, with Parquet parts, but on one core and without threads that work ahead,
as FFmpeg's do too; every step's processor time is that of the whole process while it runs, less
that of the steps inside it. So the shares hold on a busy machine, too. A first run of the same
media warms up and is not counted.
"""

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mesonet import detector, faces, files
from mesonet.bulk import items, parts, reading, running, scoring
from mesonet.checking import checker, tracking
from mesonet.images import reading as images
from mesonet.images.finding import IMAGE_SUFFIXES
from mesonet.media import MEDIA_SUFFIXES
from mesonet.media.video import Video
from mesonet.preprocessing import Preprocessing

STEPS: dict[str, list[tuple[Any, str]]] = {
    "reading": [(images, "_read"), (files, "file_hash"), (checker, "file_hash")],
    "decoding": [(images, "_open"), (checker, "open_medium"), (Video, "frames")],
    "turning, converting": [(images, "_to_upright_rgb")],
    "resizing": [(Preprocessing, "resize")],
    "scaling": [(Preprocessing, "scale")],
    "finding faces": [(faces.CenterFace, "find")],
    "network of the faces": [(faces.CenterFace, "_infer")],
    "cutting, measuring faces": [(tracking, "crop_face"), (tracking, "measure_quality")],
    "mild changes": [(checker, "changed_faces")],
    "network of the detector": [(detector.Detector, "raw_scores"), (checker.Checker, "_scores")],
    "provenance": [(checker, "read_provenance")],
    "writing": [(parts.Parts, "write"), (running, "to_table")],
}


class Stopwatch:
    """Processor time by step, each without the steps inside it."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._stack = ["the rest"]
        self._last = time.process_time()

    def _turn(self) -> None:
        now = time.process_time()
        self.seconds[self._stack[-1]] += now - self._last
        self._last = now

    def _timed(self, step: str, call: Callable[[], Any]) -> Any:
        self._turn()
        self._stack.append(step)
        try:
            return call()
        finally:
            self._turn()
            self._stack.pop()

    def wrap(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its time counted; of a generator that of each of its items."""

        @wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            result = self._timed(step, lambda: function(*arguments, **named))
            return self.each(step, result) if isinstance(result, Iterator) else result

        return counted

    def each(self, step: str, source: Iterator[Any]) -> Iterator[Any]:
        """The items, with the time it takes to get each counted."""
        end = object()
        while (item := self._timed(step, lambda: next(source, end))) is not end:
            yield item


def main() -> None:
    """Print a table of shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["predict", "check"])
    parser.add_argument("media", nargs="+")
    parser.add_argument("--model", default="standard")
    parser.add_argument("--limit", type=int, default=None)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    predicts = arguments.command == "predict"
    scorer: scoring.Scorer = (
        scoring.VerdictScorer(arguments.model)
        if predicts
        else scoring.CheckScorer(arguments.model, checker.FRAMES)
    )
    suffixes = IMAGE_SUFFIXES if predicts else MEDIA_SUFFIXES
    with ExitStack() as stack:
        for module in (detector, reading, checker):
            stack.enter_context(patch.object(module, "map_ahead", one_by_one))
        for _ in range(2):
            found = islice(items.find_items(arguments.media, suffixes), arguments.limit)
            stopwatch, outcome = measured(scorer, found)
    show(stopwatch, arguments.command, arguments.model, outcome)


def one_by_one(
    function: Callable[[Any], Any], items: Iterable[Any], *_: int
) -> Generator[Any, None, None]:
    """What `map_ahead` gives, without its threads: in two at once no step has a time of its own."""
    yield from map(function, items)


def measured(
    scorer: scoring.Scorer, found: Iterator[items.Item]
) -> tuple[Stopwatch, running.Outcome]:
    """Run once and take the times."""
    watch = Stopwatch()
    with ExitStack() as stack:
        for step, targets in STEPS.items():
            for target, name in targets:
                function = watch.wrap(step, getattr(target, name))
                stack.enter_context(patch.object(target, name, function))
        output = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = parts.Parts(output, scorer.description, resume=False)
        engine = running.local_engine(scorer, advance=lambda _: None)
        return watch, running.run(engine, watch.each("listing", found), folder, shard_size=1000)


def show(stopwatch: Stopwatch, command: str, model: str, outcome: running.Outcome) -> None:
    """Print the shares, largest first."""
    total = stopwatch.seconds.total()
    each = total / outcome.rows
    print(f"`{command}`, {model}, {outcome.rows:,} media: {outcome.summary}")
    print(f"{1000 * each:.1f} ms of one core each\n")
    print("| step | share | ms each |")
    print("| --- | --- | --- |")
    for step, seconds in stopwatch.seconds.most_common():
        print(f"| {step} | {seconds / total:.1%} | {1000 * seconds / outcome.rows:.2f} |")


if __name__ == "__main__":
    main()
