"""Running what lies in ``recipes/``."""

import csv
import subprocess
import sys
from pathlib import Path

RECIPES = Path(__file__).parents[1] / "recipes"


def recipe(name, *arguments):
    command = [sys.executable, RECIPES / name, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def run_recipe(*arguments):
    """Run ``python -m recipes``."""
    command = [sys.executable, "-m", "recipes", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=RECIPES.parent)


def scores(run, name):
    with (run / f"scores-{name}.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))
