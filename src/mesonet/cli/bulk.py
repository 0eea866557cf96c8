"""What `predict` and `check` share where there is much to read: lists, limits, Parquet parts."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.filesize import decimal
from typer.exceptions import TyperException

from mesonet.bulk.items import Item, find_items, listed_items
from mesonet.cli.options import Engine
from mesonet.cli.output import print_left_out, printable
from mesonet.cli.progress import progress_bar
from mesonet.errors import ArgumentError, InputError
from mesonet.images.left_out import describe_left_out

if TYPE_CHECKING:
    from mesonet.bulk.scoring import Scorer


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be read.

    Attributes:
        inputs: files, folders, patterns and addresses.
        suffixes: what is taken of a folder.
        listed: a list of paths.
        column: which column of the list.
        limit: how many at most.
    """

    inputs: list[str]
    suffixes: frozenset[str]
    listed: str | None
    column: str
    limit: int | None

    def items(self) -> Iterator[Item]:
        """Everything, found as it is asked for.

        Raises:
            TyperException: there is neither an input nor a list.
        """
        if not self.inputs and not self.listed:
            raise TyperException("Missing argument: name files or folders, or give a --list")
        return islice(self._all(), self.limit)

    def _all(self) -> Iterator[Item]:
        yield from find_items(self.inputs, self.suffixes)
        if self.listed:
            yield from listed_items(self.listed, self.column)

    def print_left_out(self) -> None:
        """Say what is passed over in folders."""
        for left_out in describe_left_out(self.inputs, self.suffixes):
            print_left_out(left_out)


@dataclass(frozen=True, slots=True)
class Run:
    """How a run with Parquet parts goes; see the options of the same names."""

    output: Path | None
    resume: bool
    shard_size: int
    engine: Engine
    address: str | None
    workers: int | None
    max_error_share: float | None
    dry_run: bool


def print_plan(items: Iterable[Item]) -> None:
    """Print the paths, and on standard error how many they are and how large."""
    count = size = unknown = missing = 0
    for item in items:
        if item.error is not None:
            missing += 1
            print_left_out(f"{item.path}: {item.error}")
            continue
        print(printable(item.path))
        count += 1
        size += item.size or 0
        unknown += item.size is None
    text = f"{count:,} files, {decimal(size)}"
    if unknown:
        text += f" and {unknown:,} of unknown size"
    print(f"{text} would be read", file=sys.stderr)
    if missing or not count:
        raise typer.Exit(1)


def write_parts(load: "Callable[[], Scorer]", source: Source, options: Run) -> None:
    """Score what is not in the parts yet, and write further parts."""
    from mesonet.bulk.parts import Parts
    from mesonet.bulk.running import local_engine, run

    if options.output is None:
        raise ArgumentError("--format parquet needs --output DIR")
    if options.output.exists() and not options.output.is_dir():
        raise InputError(options.output, "is a file; parts are written to a folder")
    found = source.items()
    scorer = load()
    parts = Parts(options.output, scorer.description, resume=options.resume)
    held = Counter[bool]()

    def new_items() -> Iterator[Item]:
        for item in found:
            is_held = parts.holds(item)
            held[is_held] += 1
            if not is_held:
                yield item

    if options.dry_run:
        print_plan(new_items())
        return
    source.print_left_out()
    with progress_bar() as bar:
        task = bar.add_task("scoring", total=None)

        def advance(rows: int) -> None:
            bar.advance(task, rows)

        if options.engine is Engine.RAY:
            from mesonet.bulk.ray_engine import ray_engine

            engine = ray_engine(
                load, scorer, advance, address=options.address, workers=options.workers
            )
        else:
            engine = local_engine(scorer, advance)
        outcome = run(
            engine,
            new_items(),
            parts,
            shard_size=options.shard_size,
            max_error_share=options.max_error_share,
        )
    text = f"{outcome.summary or 'nothing new'} (model {scorer.description['model']['name']})"
    if held[True]:
        text += f"; {held[True]:,} were in the parts already"
    print(f"{text}: {options.output}", file=sys.stderr)
    if outcome.has_errors(options.max_error_share) or not held.total():
        raise typer.Exit(1)


def refuse_without_parquet(options: Run) -> None:
    """Refuse what only Parquet parts can do.

    Raises:
        ArgumentError: such an option was given.
    """
    given = {
        "--resume": options.resume,
        "--engine": options.engine is not Engine.LOCAL,
        "--address": options.address,
        "--workers": options.workers,
    }
    for name, value in given.items():
        if value:
            raise ArgumentError(f"{name} needs --format parquet")
