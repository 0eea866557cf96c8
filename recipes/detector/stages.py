"""The stages of `standard` and `thorough`, each a module of this folder in a process of its own."""

import subprocess
import sys
from functools import partial
from pathlib import Path

from recipes.common.stage import Stage

RELEASED_SCORES = Path(__file__).parent / "scores" / "standard-validation.csv"
BATCHES = 79


def standard(data: Path, run: Path) -> dict[str, Stage]:
    """Boxes, network, validation scores, release."""
    boxes, network = run / "boxes.csv", run / "detector.keras"
    scores = run / "standard-validation.csv"
    sets = ("--data", data)
    return {
        "boxes": _stage(boxes, "boxes", data, boxes),
        "train": _stage(network, "train", run, *sets, "--boxes", boxes),
        "scores": _stage(scores, "scores", network, scores, *sets, "--part", "validation"),
        "release": _stage(
            run / "standard.keras", "release", network, scores, run / "standard", *sets
        ),
    }


def thorough(data: Path, run: Path) -> dict[str, Stage]:
    """Boxes, class tokens, head and validation scores, release.

    The head is mixed with the released `standard`, by its stored scores; the image encoder is
    fetched by ``mesonet weights get thorough``.
    """
    boxes, tokens = run / "boxes.csv", run / "tokens"
    head, scores = run / "head.npz", run / "thorough-validation.csv"
    sets = ("--data", data)
    return {
        "boxes": _stage(boxes, "boxes", data, boxes),
        "encode": _stage(
            tokens / f"{BATCHES - 1:05}.npz",
            *("encode", tokens, *sets, "--boxes", boxes, "--batches", BATCHES),
        ),
        "head": _stage(
            head,
            *("head", head, scores, "--tokens", tokens, *sets, "--standard", RELEASED_SCORES),
        ),
        "release": _stage(run / "thorough.npz", "release", head, scores, run / "thorough", *sets),
    }


def _stage(result: Path, module: str, *arguments: object) -> Stage:
    return Stage(result, partial(_run, module, *arguments))


def _run(module: str, *arguments: object) -> None:
    command = [sys.executable, "-m", f"recipes.detector.{module}", *map(str, arguments)]
    done = subprocess.run(command, check=False)  # noqa: S603 - the stages above
    if done.returncode:
        raise SystemExit(f"{module} failed")
