"""The commands that train whole and small networks further, on a few small images."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from recipes.common.recipe import Recipe
from tests.images import write_class_folders
from tests.recipe_runs import RECIPES, recipe, run_recipe, scores

from mesonet.architectures import create_model
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import group_keys
from mesonet.detector import Detector
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo, logit
from mesonet.preprocessing import Preprocessing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    return [write_class_folders(root / name, videos=10, frames=2) for name in ("one", "two")]


@pytest.mark.parametrize("plain", [False, True])
def test_all_layers_train_on_and_the_set_that_is_left_out_is_scored(tmp_path, folders, plain):
    start, run = tmp_path / "start.keras", tmp_path / "run"
    before = create_model("efficientnet_lite0", 32)
    preprocessing = Preprocessing(32, "bilinear", "symmetric")
    save_model(before, start, ModelInfo("efficientnet_lite0", preprocessing, ("fake", "real")))
    data = [part for folder in folders for part in ("--data", folder, "video")]
    options = ("--start", start, "--sets", "one", "--steps", 100, "--size", 32)
    done = recipe("train_whole.py", run, *options, *data, *(["--plain"] if plain else []))
    assert done.returncode == 0, done.stderr
    assert ("border_loss" in (run / "training.csv").read_text()) != plain
    assert len(scores(run, "two")) == 40
    assert not (run / "scores-one.csv").exists()
    after, info = load_model(run / "detector.keras")
    stem = [model.get_layer("conv_stem").get_weights()[0] for model in (before, after)]
    assert np.any(stem[0] != stem[1])
    assert info.architecture == "efficientnet_lite0"


def test_a_small_network_is_trained_to_stand_beside_another(tmp_path, folders):
    start, run = tmp_path / "start.keras", tmp_path / "run"
    before = create_model("meso4")
    save_model(before, start, ModelInfo("meso4"))
    data = [part for folder in folders for part in ("--data", folder, "video")]
    options = ("--start", start, "--fold", 0, "--steps", 100, "--batch-size", 4)
    done = recipe("train_side.py", run, *options, "--kind", "one", *data)
    assert done.returncode == 0, done.stderr
    assert all(len(scores(run, folder.name)) == 8 for folder in folders)
    after, info = load_model(run / "detector.keras")
    assert info.architecture == "meso4"
    assert np.any(after.layers[1].get_weights()[0] != before.layers[1].get_weights()[0])
    alone = recipe("train_side.py", tmp_path / "alone", *options, "--kind", "three", *data)
    assert alone.returncode == 2
    assert "one of several sets" in alone.stderr


def test_a_small_network_goes_on_from_weights_and_is_judged_by_videos_it_never_saw(
    tmp_path, folders
):
    folder = folders[0]
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
    found = [Recipe.read(path.stem, Path("data"), None, None) for path in RECIPES.glob("*.toml")]
    assert {recipe.architecture for recipe in found} >= {"meso4", "mesoinception4"}
    assert all(recipe.start == Path("data/weights") / recipe.start.name for recipe in found)


def test_scores_of_two_networks_are_joined_as_the_networks_are(tmp_path):
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    header = "file,fake,fake_probability,threshold\n"
    files[0].write_text(header + "df/a.jpg,True,0.8,0.5\nreal/b.jpg,False,0.2,0.5\n")
    files[1].write_text(header + "real/b.jpg,False,0.8,0.5\ndf/a.jpg,True,0.8,0.5\n")
    done = recipe("join_scores.py", tmp_path / "joined" / "scores-faces.csv", *files)
    assert done.returncode == 0, done.stderr
    rows = scores(tmp_path / "joined", "faces")
    assert [(row["file"], row["fake"]) for row in rows] == [
        ("df/a.jpg", "True"),
        ("real/b.jpg", "False"),
    ]
    odds = logit(np.array([float(row["fake_probability"]) for row in rows]))
    assert odds == pytest.approx(np.log(4) * np.array([1, -1 / 3]))
    files[1].write_text(header + "df/a.jpg,True,0.8,0.5\n")
    refused = recipe("join_scores.py", tmp_path / "refused.csv", *files)
    assert refused.returncode == 2
    assert "not about the same images" in refused.stderr
    assert not (tmp_path / "refused.csv").exists()
