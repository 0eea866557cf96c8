"""The commands that made the released weights, on a few small images."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.images import write_class_folders

from mesonet.architectures import create_model
from mesonet.class_folders import ClassFolders
from mesonet.detector import Detector
from mesonet.groups import group_keys
from mesonet.model_file import load_model, save_model
from mesonet.preprocessing import ModelInfo

RECIPES = Path(__file__).parents[2] / "recipes"


def recipe(name, *arguments):
    command = [sys.executable, RECIPES / name, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_class_folders(tmp_path_factory.mktemp("data") / "faces", videos=10, frames=2)


def test_views_trainings_of_two_folds_and_a_calibrated_detector(tmp_path, folder):
    views = tmp_path / "views"
    small = ("--until", "blocks_15", "--size", 32, "--rounds", 1)
    data = ("--data", folder, "video")
    assert recipe("cache_views.py", views, *small, *data).returncode == 0
    other = recipe("cache_views.py", views, *small, *data, "--rounds", 2)
    assert other.returncode == 2
    assert "name another folder" in other.stderr
    runs = []
    for fold in (0, 1):
        runs.append(tmp_path / f"fold-{fold}")
        done = recipe("fine_tune.py", runs[-1], views, "--fold", fold, "--epochs", 1)
        assert done.returncode == 0, done.stderr
    closer = ("--fold", 1, "--epochs", 1, "--start", runs[0] / "detector.keras")
    done = recipe("fine_tune.py", tmp_path / "closer", views, *closer)
    assert done.returncode == 0, done.stderr
    start = runs[1] / "detector.keras"
    further = ("--start", start, "--fold", 1, "--steps", 100, "--size", 32, *data)
    done = recipe("train_whole.py", tmp_path / "whole", *further)
    assert done.returncode == 0, done.stderr
    assert "border_loss" in (tmp_path / "whole" / "training.csv").read_text()
    held_out = [row["file"] for row in _scores(runs[1], folder.name)]
    assert [row["file"] for row in _scores(tmp_path / "whole", folder.name)] == held_out
    first, second = (load_model(run / "detector.keras")[0] for run in (runs[1], tmp_path / "whole"))
    stem = [model.get_layer("conv_stem").get_weights()[0] for model in (first, second)]
    assert np.any(stem[0] != stem[1])
    pooled, output = tmp_path / "pooled", tmp_path / "detector.keras"
    model = ("--model", runs[0] / "detector.keras", "--output", output)
    done = recipe("pool_folds.py", pooled, views, *runs, *model)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" image n ") == 2
    with (pooled / f"scores-{folder.name}.csv").open(newline="") as lines:
        judged = [row["file"] for row in csv.DictReader(lines)]
    held_out = [row["file"] for run in runs for row in _scores(run, folder.name)]
    assert judged == held_out
    assert len(set(judged)) == len(judged)
    of_one_fold = ClassFolders.read(pooled / "fold-1" / folder.name)
    assert len(of_one_fold) == len(_scores(runs[1], folder.name))
    assert Detector.load(pooled / "fold-1" / "detector.keras").info.band is not None
    info = Detector.load(output).info
    assert info.calibration is not None
    assert info.band is not None


def test_a_small_network_goes_on_from_weights_and_is_judged_by_videos_it_never_saw(
    tmp_path, folder
):
    start = tmp_path / "start.keras"
    save_model(create_model("meso4"), start, ModelInfo("meso4"))
    run = tmp_path / "run"
    done = recipe("train_meso.py", folder, run, "--start", start, "--unseen", folder, "video")
    assert done.returncode == 0, done.stderr
    results = json.loads((run / "results.json").read_text())
    assert Detector.load(run / "meso4.keras").info.threshold == results["threshold"]
    videos = {
        part: set(group_keys(ClassFolders.read(run / "data" / part).names, "video"))
        for part in ("train", "test")
    }
    assert not videos["train"] & videos["test"]
    assert results["test"]["group"]["count"] == len(videos["test"])
    assert results[folder.name]["image"]["count"] == 40
    low, high = results["test"]["image_auc_interval"]
    assert 0 <= low <= results["test"]["image"]["auc"] <= high <= 1


def _scores(run, name):
    with (run / f"scores-{name}.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))
