import sqlite3
from collections import Counter
from contextlib import closing

import numpy as np
import pytest
from tests.images import write_class_folders

from mesonet.detector import Detector
from mesonet.evaluation.benchmark.models import DataSet, Model, score_data
from mesonet.evaluation.benchmark.robustness import spread_choice, sweep
from mesonet.images.perturbations import FAMILIES
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing


def ignore(*_):
    pass


def test_choice_takes_many_groups_and_both_classes():
    groups = [f"g{n}" for n in np.repeat(np.arange(10), 20)]
    is_fake = np.repeat(np.arange(10), 20) < 4
    chosen = spread_choice(is_fake, groups, 24)
    assert len(set(chosen.tolist())) == 24
    assert is_fake[chosen].sum() == 12
    counts = Counter(groups[index] for index in chosen)
    assert len(counts) == 10
    assert {counts[f"g{n}"] for n in range(4)} == {3}
    assert {counts[f"g{n}"] for n in range(4, 10)} == {2}
    assert np.array_equal(chosen, spread_choice(is_fake, groups, 24))


def test_choice_of_more_than_there_are_is_all():
    is_fake = np.array([True, False, False])
    assert spread_choice(is_fake, ["a", "b", "c"], 100).tolist() == [0, 1, 2]
    assert spread_choice(is_fake, ["a", "b", "c"], 1).size == 2


@pytest.fixture
def data(tmp_path):
    root = write_class_folders(tmp_path / "data", videos=4, frames=2, classes=("df", "real"))
    return DataSet.read("made", str(root), "video")


def detector_of(run, tmp_path):
    """A detector whose network is a function of the prepared pixels."""
    path = tmp_path / "model.bin"
    path.write_bytes(b"model")
    info = ModelInfo(None, Preprocessing(size=32), ("real", "fake"), threshold=0.5)
    return Model(name="m", source="m", detector=Detector("m", info, run, model_path=path))


def swept(model, data, cache):
    hashes = data.hash_images(ignore)
    before = score_data(model, data, hashes, cache, ignore)
    chosen = np.arange(len(data.folder))
    return sweep(model, data, chosen, hashes, before, cache, ignore)


def test_a_model_that_does_not_look_loses_nothing(data, tmp_path):
    model = detector_of(lambda x: np.full(len(x), 0.7, np.float32), tmp_path)
    result = swept(model, data, tmp_path / "cache")
    assert (result["images"], result["groups"], result["auc"]) == (16, 8, 0.5)
    assert list(result["families"]) == list(FAMILIES)
    for family in result["families"].values():
        assert family["area"] == 0.5
        for level in family["levels"]:
            assert level["auc"] == 0.5
            if level["level"] is not None:
                assert level["lost"] == {"value": 0, "low": 0, "high": 0}
                assert level["flipped"] == 0


def test_a_model_that_lives_on_brightness_shows_it(data, tmp_path):
    """Real pictures are the brighter ones; 20 % more or less makes all look the same to it."""

    def run(images):
        return (images.mean(axis=(1, 2, 3)) < 0.425).astype(np.float32)

    result = swept(detector_of(run, tmp_path), data, tmp_path / "cache")
    levels = {level["level"]: level for level in result["families"]["brightness"]["levels"]}
    assert list(levels) == [0.6, 0.8, None, 1.2, 1.4]
    assert levels[None]["auc"] == result["auc"] == 1
    for level in (0.8, 1.2):
        assert levels[level]["flipped"] == 0.5
        assert levels[level]["auc"] == 0.5
        assert levels[level]["lost"] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert result["families"]["resize bilinear"]["area"] == 1


def test_area_is_the_mean_along_the_curve(data, tmp_path):
    def run(images):
        return np.clip(images.std(axis=(1, 2, 3)), 0, 1).astype(np.float32)

    result = swept(detector_of(run, tmp_path), data, tmp_path / "cache")
    family = result["families"]["blur"]
    aucs = [level["auc"] for level in family["levels"]]
    assert family["area"] == pytest.approx(np.trapezoid(aucs) / (len(aucs) - 1))
    lost = family["levels"][-1]["lost"]
    assert lost["value"] == pytest.approx(result["auc"] - aucs[-1])
    assert lost["low"] <= lost["value"] <= lost["high"]


def test_an_interrupted_sweep_goes_on(data, tmp_path):
    calls = []

    def run(images):
        calls.append(len(images))
        if sum(calls) > 100:
            raise KeyboardInterrupt
        return np.full(len(images), 0.5, np.float32)

    model = detector_of(run, tmp_path)
    cache = tmp_path / "cache"
    with pytest.raises(KeyboardInterrupt):
        swept(model, data, cache)
    with closing(sqlite3.connect(cache / "scores.sqlite3")) as kept:
        (levels,) = kept.execute("SELECT COUNT(DISTINCT perturbation) FROM scores").fetchone()
    assert 3 < levels < len(FAMILIES) * 4
    calls[:] = [-10_000]
    swept(model, data, cache)
    total = 16 * (1 + sum(len(family.perturbations) for family in FAMILIES.values()))
    assert sum(calls[1:]) <= total - 80
