"""Figures and predictions known of the reference weights."""

import csv
import statistics

import numpy as np
import pytest
from benchmarks.reference_figures import KNOWN

from mesonet.datasets.class_folders import ClassFolders
from mesonet.detector import Detector
from mesonet.evaluation.scores import score_folder
from mesonet.model import make_prediction

GOLDEN_MODEL = "model1_18epochs_valacc0.9252.hdf5"


def test_published_predictions(shared, tmp_path):
    """55 rows printed by the reference's ``make_prediction(..., return_probs=True)``."""
    with (shared / "spec" / "model1-golden.csv").open(newline="") as lines:
        golden = {row["file"].replace("deepfake/", "df/"): row for row in csv.DictReader(lines)}
    for name in golden:
        link = tmp_path / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(shared / "data" / "mesonet" / name)
    if not (tmp_path / "real").exists():
        (tmp_path / "real").mkdir()
        for path in sorted((shared / "data" / "mesonet" / "real").iterdir())[:2]:
            (tmp_path / "real" / path.name).symlink_to(path)
    rows, _ = make_prediction(shared / "weights" / GOLDEN_MODEL, tmp_path, return_probs=True)
    rows = [row for row in rows if row[0] in golden]
    assert len(rows) == len(golden) == 55
    labels = {"df": "deepfake", "real": "real"}
    assert all(labels[label] == golden[name]["label"].lower() for name, label, _ in rows)
    differences = [abs(percent - float(golden[name]["percent"])) for name, _, percent in rows]
    assert statistics.median(differences) <= 0.01
    assert max(differences) <= 2.5


@pytest.mark.parametrize("name", ["Meso4_DF.h5", "Meso4_F2F.h5", GOLDEN_MODEL])
def test_video_figures_of_a_subset(shared, name):
    """Every tenth image: the published figures lie within what sampling explains."""
    data = ClassFolders.read(shared / "data" / "mesonet")
    subset = data.subset(np.arange(len(data)) % 10 == 0)
    scores = score_folder(Detector.load(shared / "weights" / name), subset)
    metrics = scores.image_metrics(0.5)
    accuracy, auc = KNOWN[name][:2]
    assert metrics.count == 425
    assert metrics.accuracy == pytest.approx(accuracy, abs=0.04)
    assert metrics.auc == pytest.approx(auc, abs=0.04)


def test_figures_of_a_whole_set_within_three_thousandths(shared):
    data = ClassFolders.read(shared / "data" / "ffpp")
    scores = score_folder(Detector.load(shared / "weights" / "Meso4_F2F.h5"), data)
    metrics = scores.image_metrics(0.5)
    assert metrics.accuracy == pytest.approx(KNOWN["Meso4_F2F.h5"][4], abs=0.003)
    assert metrics.auc == pytest.approx(KNOWN["Meso4_F2F.h5"][5], abs=0.003)
    assert scores.group_metrics(0.5, "pair").count == 70
