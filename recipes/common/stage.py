"""One step of a recipe."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stage:
    """What is done, and where its result lies.

    Attributes:
        result: the file or folder that is there when the stage is complete.
        run: makes it; goes on where it was interrupted.
    """

    result: Path
    run: Callable[[], object]
