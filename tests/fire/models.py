"""Model files that were changed at random, and those that were made to do harm."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

from tests.hostile import SENTINEL, hostile_models
from tests.small_models import write_h5, write_keras

from mesonet.errors import ModelFileError
from mesonet.inspection.model_files import inspect_model_file

SECONDS = 5.0
"""How much processor time the inspection of one file may take."""


def crafted(folder: Path) -> list[Path]:
    """Files that inspection has to refuse."""
    return list(hostile_models(folder).values())


def good(folder: Path) -> list[bytes]:
    """A model of each kind."""
    write_keras(folder / "good.keras")
    write_h5(folder / "good.h5")
    return [(folder / name).read_bytes() for name in ("good.keras", "good.h5")]


def mutated(count: int, draw: random.Random, folder: Path) -> Iterator[Path]:
    """Good files with some bytes changed or cut off, one after the other under one name."""
    files = good(folder)
    path = folder / "mutated"
    for _ in range(count):
        data = bytearray(draw.choice(files))
        for _ in range(draw.choice((1, 2, 5, 20))):
            data[draw.randrange(len(data))] = draw.randrange(256)
        if not draw.randrange(5):
            del data[draw.randrange(len(data)) :]
        path.write_bytes(data)
        yield path


def hold(path: Path, *, refused: bool = False) -> str | None:
    """What is wrong with how a file was taken, or not refused; None where all is well."""
    started = time.process_time()
    try:
        inspect_model_file(path)
        if refused:
            return "it was not refused"
    except ModelFileError:
        pass
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return f"{type(error).__name__}: {error}"
    if (path.parent / SENTINEL).exists():
        return "its code was run"
    seconds = time.process_time() - started
    return f"took {seconds:.1f} s" if seconds > SECONDS else None
