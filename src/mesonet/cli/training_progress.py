"""Loss, accuracy and learning rate while a network trains."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import TextColumn

from mesonet.backend import keras
from mesonet.cli.progress import progress_bar
from mesonet.progress import Progress


@contextmanager
def checking() -> Iterator[Progress]:
    """A bar for the check of all images before the first epoch; it goes when they are done."""
    with progress_bar() as bar:
        task = bar.add_task("checking images")

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if done == total:
                bar.stop()

        yield advance


class TrainingProgress(keras.callbacks.Callback):  # type: ignore[misc]
    """A bar within the epoch, and a line for every epoch that is done."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start a bar."""
        self.started = time.monotonic()
        self.bar = progress_bar(TextColumn("{task.fields[figures]}"))
        self.task = self.bar.add_task(
            f"epoch {epoch + 1}/{self.epochs}", total=self.params["steps"], figures=""
        )
        self.bar.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """Advance it."""
        figures = f"loss {logs['loss']:.4f}"
        if "accuracy" in logs:
            figures += f"  accuracy {logs['accuracy']:.4f}"
        self.bar.update(self.task, completed=batch + 1, figures=figures)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Put a line in its place."""
        self.bar.stop()
        figures = "  ".join(
            f"{name} {value:.2g}" if name == "learning_rate" else f"{name} {value:.4f}"
            for name, value in logs.items()
        )
        seconds = time.monotonic() - self.started
        self.console.print(f"epoch {epoch + 1}/{self.epochs}  {figures}  ({seconds:.0f} s)")

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002
        """Leave no bar behind, also where training was cut short."""
        self.bar.stop()
