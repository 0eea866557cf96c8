"""Make `standard` and `thorough` again, stage by stage.

    python -m recipes.detector --data DATA --output RUN
    python -m recipes.detector --data DATA --output RUN --only train

DATA is the folder of the five sets. A stage whose result is there is passed over, and training and
encoding go on where they were interrupted. `thorough` needs ``mesonet weights get thorough``.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
WEIGHTS = HERE.parents[1] / "src" / "mesonet" / "weights"
BATCHES = 79


def stages(data: Path, run: Path) -> dict[str, tuple[list[object], Path]]:
    """Module with arguments, and result, by the name of the stage."""
    boxes, tokens = run / "boxes.csv", run / "tokens"
    standard, head = run / "detector.keras", run / "head.npz"
    first, second = run / "standard-validation.csv", run / "thorough-validation.csv"
    sets: list[object] = ["--data", data]
    faces = [*sets, "--boxes", boxes]
    return {
        "boxes": (["boxes", data, boxes], boxes),
        "train": (["train", run, *faces], standard),
        "scores": (["scores", standard, first, "--data", data, "--part", "validation"], first),
        "release": (["release", standard, first, run / "standard", *sets], run / "standard.keras"),
        "encode": (
            ["encode", tokens, *faces, "--batches", BATCHES],
            tokens / f"{BATCHES - 1:05}.npz",
        ),
        "head": (
            ["head", head, second, "--tokens", tokens, "--data", data, "--standard", first],
            head,
        ),
        "release-thorough": (
            ["release", head, second, run / "thorough", *sets],
            run / "thorough.npz",
        ),
    }


def main() -> None:
    """Run the stages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("runs/detector"))
    parser.add_argument("--only", metavar="STAGE")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    for name, (arguments, result) in stages(given.data, given.output).items():
        if given.only not in (None, name):
            continue
        if result.exists() and not given.only:
            print(f"{name}: {result} is there")
            continue
        print(f"{name}: {result}", flush=True)
        module, *rest = map(str, arguments)
        command = [sys.executable, "-m", f"recipes.detector.{module}", *rest]
        done = subprocess.run(command, check=False)  # noqa: S603 - the stages above
        if done.returncode:
            sys.exit(f"{name} failed")


if __name__ == "__main__":
    main()
