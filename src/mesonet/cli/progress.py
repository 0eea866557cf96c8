"""Progress on standard error, where somebody watches."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

T = TypeVar("T")


def progress_bar(*extra: TextColumn) -> Progress:
    """A bar with a description, counts and time left; silent without a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        *extra,
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def track(items: Iterable[T], total: int, description: str, quiet: bool = False) -> Iterator[T]:
    """Pass items on and count them on a bar."""
    if quiet:
        yield from items
        return
    with progress_bar() as bar:
        yield from bar.track(items, total=total, description=description)
