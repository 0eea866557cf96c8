"""Make a released detector again, stage by stage.

    python -m recipes meso4 --data DATA --output runs/meso4

A recipe is a TOML file of this folder, or any other that is named by its path. DATA is the folder
that its paths are relative to. A stage whose result is there is passed over, so that the same
command goes on after an interruption.
"""

import argparse
from pathlib import Path

from recipes.common.recipe import Recipe
from recipes.stages import train_from_folder

STAGES = {"train-from-folder": train_from_folder.STAGES}


def main() -> None:
    """Run the stages of one recipe."""
    parser = argparse.ArgumentParser(
        "python -m recipes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = sorted(path.stem for path in Path(__file__).parent.glob("*.toml"))
    parser.add_argument("name", metavar="NAME", help=f"{', '.join(known)}, or a TOML file")
    parser.add_argument("--data", type=Path, required=True, help="what its paths are relative to")
    parser.add_argument("--output", type=Path, help="run folder, by default runs/NAME")
    parser.add_argument("--seed", type=int, help="another than that of the recipe")
    parser.add_argument("--only", metavar="STAGE", help="run this stage alone, even if it is done")
    given = parser.parse_args()
    try:
        recipe = Recipe.read(given.name, given.data, given.output, given.seed)
        stages = STAGES[recipe.kind]
    except (OSError, KeyError, ValueError) as error:
        parser.error(f"{given.name}: {error}")
    if given.only and given.only not in stages:
        parser.error(f"--only takes {', '.join(stages)}, not {given.only!r}")
    recipe.output.mkdir(parents=True, exist_ok=True)
    for name, (run, result) in stages.items():
        if given.only not in (None, name):
            continue
        path = recipe.output / result
        if path.exists() and not given.only:
            print(f"{name}: {path} is there")
            continue
        print(f"{name}: {path}", flush=True)
        run(recipe, path)


if __name__ == "__main__":
    main()
