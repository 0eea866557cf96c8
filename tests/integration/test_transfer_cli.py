"""From a folder of images to a detector, on the command line."""

import json
import shutil

import numpy as np
import pytest
from tests.command_line import mesonet, mesonet_process, only_line
from tests.images import write_class_folders
from typer.exceptions import TyperException

from mesonet.cli import app
from mesonet.transfer.crossval import Candidate
from mesonet.transfer.heads import Logistic
from mesonet.transfer.store import FeatureDataset

pytestmark = pytest.mark.slow

SMALL = ("--weights", "none", "--size", 64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = write_class_folders(tmp_path_factory.mktemp("data"), videos=6, frames=2)
    (root / "df" / "broken.png").write_text("no image")
    return root


@pytest.fixture(scope="module")
def store(tmp_path_factory, folder):
    path = tmp_path_factory.mktemp("features") / "store"
    options = (*SMALL, "--augment", 1, "--groups", "video", "-o", path)
    result = mesonet_process("features", folder, *options)
    assert result.returncode == 0, result.stderr
    assert only_line(result.stdout) == f"{path}: 24 images, 2 x 1280 values each"
    assert "left out" in only_line(result.stderr)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory, store):
    output = tmp_path_factory.mktemp("run") / "out"
    options = ("--search", "--folds", 3, "--inner-folds", 2, "-o", output)
    result = mesonet("crossval", store, *options)
    assert result.returncode == 0, result.stderr
    return output, result


def test_figures_and_pictures(run):
    output, result = run
    assert "mean" in result.stdout
    assert "95 % intervals" in result.stdout
    summary = json.loads((output / "crossval.json").read_text())
    assert len({candidate["l2"] for candidate in summary["candidates"]}) > 2
    assert len(summary["predictions"]) == 24
    assert (output / "confusion_matrix.png").stat().st_size > 1000
    assert f"{summary['mean']['auc']:.4f}" in result.stdout


def test_the_detector_says_what_the_head_said(run, store, folder):
    """Class 1 is real; the head was fitted to the features as they are kept."""
    output, _ = run
    summary = json.loads((output / "crossval.json").read_text())
    dataset = FeatureDataset(store)
    chosen = summary["candidates"][summary["detector"]["chosen"]]
    candidate = Candidate(dataset, Logistic(chosen["l2"]))
    everything = np.ones(len(dataset), bool)
    expected = candidate.score(candidate.fit(everything, 0), everything)
    detector = output / "detector.keras"
    result = mesonet("predict", folder, "--model", detector, "--format", "jsonl")
    rows = {
        row["path"]: row
        for row in map(json.loads, result.stdout.splitlines())
        if "error" not in row
    }
    assert len(rows) == 24
    for name, probability in zip(dataset.names, expected, strict=True):
        row = rows[str(folder / name)]
        assert row["fake_probability"] == pytest.approx(probability, abs=2e-4)
        assert row["threshold"] == pytest.approx(summary["detector"]["threshold"])
    measured = mesonet("evaluate", folder, "--model", detector, "--format", "json")
    assert json.loads(measured.stdout)["share_trained_on"] == 1
    assert "detector was trained on images of" in measured.stderr


def test_a_data_folder_in_place_of_a_store(tmp_path, folder):
    data = shutil.copytree(folder, tmp_path / "data")
    (data / "df" / "broken.png").unlink()
    options = ("--groups", "video", "--folds", 2, "--inner-folds", 2, "-o", tmp_path / "out")
    result = mesonet("crossval", data, *options)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "detector.keras").is_file()
    assert FeatureDataset(tmp_path / "out" / "store").groups is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("features {folder}/df -o {new}", "expected two class folders"),
        ("features {folder} -o {new} --backbone meso4", "meso4 is no backbone"),
        ("features {folder} -o {store} --weights none --size 64", "name another folder"),
        ("crossval {new}", "no feature store"),
        ("crossval {folder}", "is no feature store; --output says where to make one"),
        ("crossval {store} --head svm", "there is no head 'svm'"),
        ("crossval {store} --folds 7", "7 folds need at least 7 groups"),
        ("crossval {store} --groups video", "a store has its own groups"),
    ],
)
def test_bad_input(arguments, message, folder, store, tmp_path):
    places = {"folder": folder, "store": store, "new": tmp_path / "new"}
    filled = [argument.format(**places) for argument in arguments.split()]
    with pytest.raises((ValueError, TyperException), match=message) as raised:
        app(filled, standalone_mode=False)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "new").exists()
