"""Model files that were changed at random, and those that were made to do harm."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from tests.hostile import SENTINEL, hostile_models
from tests.small_models import write_h5, write_keras
from tests.torch_files import describe, write_chain, write_zip

from mesonet.errors import CheckpointError, ModelFileError
from mesonet.inspection.model_files import inspect_model_file
from mesonet.inspection.torch_checkpoint import read_torch_checkpoint

CHECKPOINT = ".pth"
"""Suffix of the files that are read as PyTorch's."""

SECONDS = 5.0
"""How much processor time the inspection of one file may take."""


def crafted(folder: Path) -> list[Path]:
    """Files that inspection has to refuse."""
    return list(hostile_models(folder).values())


def good(folder: Path) -> list[Path]:
    """A model of each kind, weights alone, and PyTorch checkpoints of both forms."""
    paths = [folder / name for name in ("good.keras", "good.h5", "weights.h5")]
    write_keras(paths[0])
    write_h5(paths[1])
    with h5py.File(paths[1]) as model, h5py.File(paths[2], "w") as weights:
        group = model["model_weights"]
        weights.attrs.update(group.attrs)
        for name in group:
            group.copy(name, weights)
    state = describe({"weight": np.ones((3, 4), np.float32), "bias": np.zeros(3, np.float32)})
    for name, write in (("zip", write_zip), ("chain", write_chain)):
        paths.append(write(folder / f"{name}{CHECKPOINT}", *state))
    return paths


def mutated(count: int, draw: random.Random, folder: Path) -> Iterator[Path]:
    """Good files with some bytes changed or cut off, one after the other."""
    files = [(path.suffix, path.read_bytes()) for path in good(folder)]
    for _ in range(count):
        suffix, content = draw.choice(files)
        data = bytearray(content)
        for _ in range(draw.choice((1, 2, 5, 20))):
            data[draw.randrange(len(data))] = draw.randrange(256)
        if not draw.randrange(5):
            del data[draw.randrange(len(data)) :]
        path = folder / f"mutated{suffix}"
        path.write_bytes(data)
        yield path


def hold(path: Path, *, refused: bool = False) -> str | None:
    """What is wrong with how a file was taken, or not refused; None where all is well."""
    started = time.process_time()
    try:
        (read_torch_checkpoint if path.suffix == CHECKPOINT else inspect_model_file)(path)
        if refused:
            return "it was not refused"
    except (ModelFileError, CheckpointError):
        pass
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return f"{type(error).__name__}: {error}"
    if (path.parent / SENTINEL).exists():
        return "its code was run"
    seconds = time.process_time() - started
    return f"took {seconds:.1f} s" if seconds > SECONDS else None
