"""Running ``python -m recipes``."""

import subprocess
import sys
from pathlib import Path

RECIPES = Path(__file__).parents[1] / "recipes"


def run_recipe(*arguments):
    command = [sys.executable, "-m", "recipes", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=RECIPES.parent)
