"""Make a released detector again, stage by stage.

    python -m recipes meso4 --data DATA --output runs/meso4
    python -m recipes standard --data DATA --only train

A recipe is a TOML file of this folder or any other that is named by its path, or `standard` or
`thorough`. DATA is the folder that its paths are relative to. A stage whose result is there is
passed over, so that the same command goes on after an interruption.
"""

import argparse
from pathlib import Path

from recipes.common.stage import Stage
from recipes.detector.stages import standard, thorough

DETECTORS = {"standard": standard, "thorough": thorough}


def main() -> None:
    """Run the stages of one recipe."""
    parser = argparse.ArgumentParser(
        "python -m recipes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = [*sorted(path.stem for path in Path(__file__).parent.glob("*.toml")), *DETECTORS]
    parser.add_argument("name", metavar="NAME", help=f"{', '.join(known)}, or a TOML file")
    parser.add_argument("--data", type=Path, required=True, help="what its paths are relative to")
    parser.add_argument("--output", type=Path, help="run folder, by default runs/NAME")
    parser.add_argument("--seed", type=int, help="another than that of a TOML file")
    parser.add_argument("--only", metavar="STAGE", help="run this stage alone, even if it is done")
    given = parser.parse_args()
    output = given.output or Path("runs") / Path(given.name).stem
    if given.name in DETECTORS and given.seed is not None:
        parser.error(f"{given.name}: its seed is fixed")
    try:
        stages = _stages(given.name, given.data, output, given.seed)
    except (OSError, KeyError, ValueError) as error:
        parser.error(f"{given.name}: {error}")
    if given.only and given.only not in stages:
        parser.error(f"--only takes {', '.join(stages)}, not {given.only!r}")
    output.mkdir(parents=True, exist_ok=True)
    for name, stage in stages.items():
        if given.only not in (None, name):
            continue
        if stage.result.exists() and not given.only:
            print(f"{name}: {stage.result} is there")
            continue
        print(f"{name}: {stage.result}", flush=True)
        stage.run()


def _stages(name: str, data: Path, output: Path, seed: int | None) -> dict[str, Stage]:
    if name in DETECTORS:
        return DETECTORS[name](data, output)
    from recipes.common.recipe import Recipe
    from recipes.stages import train_from_folder  # here, as it loads Keras

    recipe = Recipe.read(name, data, output, seed)
    kinds = {"train-from-folder": train_from_folder.stages}
    return kinds[recipe.kind](recipe)


if __name__ == "__main__":
    main()
