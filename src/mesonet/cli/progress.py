"""Progress on standard error, where somebody watches."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from mesonet.checking import Check

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


class MediaBar:
    """Counts media on a bar; of a clip that is being looked at every frame counts.

    Args:
        total: number of media.
        pauses: take the bar away while a result is written, to the same terminal.
    """

    def __init__(self, total: int, *, pauses: bool) -> None:
        self.bar = progress_bar(TextColumn("{task.fields[frames]}", markup=False))
        self._task = self.bar.add_task("checking", total=total, frames="")
        self._pauses = pauses
        self._done = 0
        self._looked: dict[str, float] = {}

    def look(self, path: str, done: int, total: int) -> None:
        """So many frames of a clip have been looked at; scoring them counts as one more."""
        self._looked[path] = done / (total + 1)
        self._show(f"frame {done} of {total}")

    def track(self, results: Iterable["Check"]) -> Iterator["Check"]:
        """Pass the results of media on and count them."""
        with self.bar:
            for result in results:
                self._looked.pop(result.path, None)
                self._done += 1
                self._show("")
                if self._pauses:
                    self.bar.stop()
                yield result
                if self._pauses:
                    self.bar.start()

    def _show(self, frames: str) -> None:
        completed = self._done + sum(tuple(self._looked.values()))
        self.bar.update(self._task, completed=completed, frames=frames)
