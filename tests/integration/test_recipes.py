"""Making the small released networks again, on a few small images."""

import json
import tomllib
from pathlib import Path

import pytest
from recipes.common.recipe import Recipe
from tests.images import write_class_folders
from tests.recipe_runs import RECIPES, run_recipe

from mesonet.architectures import create_model
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import group_keys
from mesonet.detector import Detector
from mesonet.model_file import save_model
from mesonet.model_info import ModelInfo

pytestmark = pytest.mark.slow


def test_a_small_network_goes_on_from_weights_and_is_judged_by_videos_it_never_saw(
    tmp_path,
):
    folder = write_class_folders(tmp_path / "data" / "one", videos=10, frames=2)
    start = tmp_path / "start.keras"
    save_model(create_model("meso4"), start, ModelInfo("meso4"))
    run = tmp_path / "run"
    known = tomllib.loads((RECIPES / "meso4.toml").read_text())
    text = (RECIPES / "meso4.toml").read_text().partition("[[unseen]]")[0]
    text = text.replace(known["start"], start.name).replace(known["data"]["folder"], folder.name)
    text += f'[[unseen]]\nfolder = "{folder.name}"\ngroups = "video"\n'
    (tmp_path / "own.toml").write_text(text)
    start.rename(folder.parent / start.name)
    command = (tmp_path / "own.toml", "--data", folder.parent, "--output", run)
    done = run_recipe(*command)
    assert done.returncode == 0, done.stderr
    results = json.loads((run / "results.json").read_text())
    assert Detector.load(run / "model.keras").info.threshold == results["threshold"]
    videos = {
        part: set(group_keys(ClassFolders.read(run / "data" / part).names, "video"))
        for part in ("train", "test")
    }
    assert not videos["train"] & videos["test"]
    assert results["test"]["group"]["count"] == len(videos["test"])
    assert results[folder.name]["image"]["count"] == 40
    low, high = results["test"]["image_auc_interval"]
    assert 0 <= low <= results["test"]["image"]["auc"] <= high <= 1
    again = run_recipe(*command)
    assert again.stdout.count("is there") == 3
    wrong = run_recipe(*command, "--only", "sleep")
    assert wrong.returncode == 2
    assert "--only takes split, train, measure" in wrong.stderr


def test_every_recipe_can_be_read():
    data, run = Path("data"), Path("run")
    found = [Recipe.read(path.stem, data, run, None) for path in RECIPES.glob("*.toml")]
    assert {recipe.architecture for recipe in found} >= {"meso4", "mesoinception4"}
    assert all(recipe.start == Path("data/weights") / recipe.start.name for recipe in found)
