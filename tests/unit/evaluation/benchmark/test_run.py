"""Caching, scoring, comparing and the page; the command has its own tests."""

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.images import write_class_folders

from mesonet.detector import Detector
from mesonet.errors import DataError, ImageError
from mesonet.evaluation.benchmark.comparison import ModelScores, compare
from mesonet.evaluation.benchmark.models import (
    ComparedModel,
    DataSet,
    Model,
    Stored,
    read_predictions,
    score_data,
    score_images,
)
from mesonet.evaluation.benchmark.report import render
from mesonet.evaluation.benchmark.run import SCHEMA_VERSION, run_benchmark
from mesonet.evaluation.scores import score_folder
from mesonet.files import file_hash
from mesonet.images.perturbations import FAMILIES
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing
from mesonet.training_data import TrainingData
from mesonet.weights import released


def ignore(*_):
    pass


@pytest.fixture
def root(tmp_path):
    return write_class_folders(tmp_path / "data", videos=4, frames=3)


@pytest.fixture
def data(root):
    return DataSet.read("made", str(root), "video")


def model_of(tmp_path, run=None, name="m", **info):
    """A detector whose network is a function of the prepared pixels; counts what it scores."""
    scored = []

    def counted(images):
        scored.append(len(images))
        return run(images) if run else images.std(axis=(1, 2, 3))

    path = tmp_path / f"{name}.bin"
    path.write_bytes(name.encode())
    described = ModelInfo(None, Preprocessing(size=32), ("real", "fake"), **info)
    detector = Detector(name, described, counted, model_path=path)
    return Model(name=name, source=name, detector=detector), scored


def write_scores(path, rows):
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "fake_probability", "threshold"])
        writer.writerows(rows)
    return path


def stored(tmp_path, data, score, name="s", **trained):
    """Stored scores, ``score(name, is fake)`` of every image."""
    rows = [
        (path.as_posix(), score(path.as_posix(), fake), 0.5)
        for path, fake in zip(data.folder.names, data.folder.is_fake, strict=True)
    ]
    table = write_scores(tmp_path / f"{name}.csv", rows)
    return Stored(name=name, files={data.name: str(table)}, **trained)


def test_a_released_model_is_known_by_the_file_that_gives_its_scores():
    model = Model(name="meso4", source="meso4", detector=Detector.load("meso4"))
    assert model.sha256 == file_hash(released("meso4").onnx)


def test_what_could_not_be_searched_was_not_scored(tmp_path, data):
    locked = ImageError(str(data.folder.root / "real" / "locked"), "Permission denied")
    part = replace(data, folder=replace(data.folder, unlisted=(locked,)))
    entry = run_benchmark([model_of(tmp_path)[0]], [part], cache=tmp_path / "cache", watch=ignore)[
        "data"
    ][0]
    assert entry["unreadable"] == [{"file": "real/locked", "error": "Permission denied"}]
    assert entry["classes"] == {"deepfake": "df", "real": "real"}
    assert score_folder(model_of(tmp_path)[0].detector, part.folder).unreadable[0].path == str(
        data.folder.root / "real" / "locked"
    )


# Scoring


def test_an_image_is_scored_once_per_model_and_change(tmp_path, data, root):
    model, scored = model_of(tmp_path)
    cache = tmp_path / "cache"
    hashes = data.hash_images(ignore)
    seen = []
    first = score_data(model, data, hashes, cache, lambda *progress: seen.append(progress))
    assert sum(scored) == 24
    assert seen[0] == ("m on made", 0, 24)
    assert seen[-1] == ("m on made", 24, 24)
    again = score_data(model, data, hashes, cache, lambda *progress: seen.append(progress))
    assert sum(scored) == 24
    assert seen[-1] == ("m on made", 24, 24)
    assert np.array_equal(first.fake_probability, again.fake_probability)

    root.rename(tmp_path / "moved")
    moved = DataSet.read("moved", str(tmp_path / "moved"), "video")
    moved.folder.paths[3].write_bytes(moved.folder.paths[4].read_bytes())
    other, _ = model_of(tmp_path, name="another")
    for one, count in ((model, 24), (other, 24)):
        score_data(one, moved, moved.hash_images(ignore), cache, ignore)
        assert sum(scored) == count

    jpeg = FAMILIES["jpeg"].perturbations[-1]
    paths = moved.folder.paths[:5]
    changed = score_images(model, paths, hashes[:5], cache, ignore, jpeg)
    assert sum(scored) == 29
    assert changed != first.fake_probability[:5].tolist()


def test_unreadable_images_are_named_and_left_out_for_all(tmp_path, data):
    bad = data.folder.paths[2]
    bad.write_bytes(b"no image")
    data.folder.paths[20].unlink()
    model, _ = model_of(tmp_path)
    other = stored(tmp_path, data, lambda name, fake: "" if name.endswith("103_1.png") else 0.5)
    result = run_benchmark([model, other], [data], cache=tmp_path / "cache", watch=ignore)
    assert [image["file"] for image in result["data"][0]["unreadable"]] == [
        "df/0_2.png",
        "real/102_2.png",
        "real/103_1.png",
    ]
    assert result["data"][0]["unreadable"][0]["error"].startswith("not an image")
    assert {entry["image"]["count"] for entry in result["results"]} == {21}
    assert str(tmp_path) not in json.dumps(result["data"][0]["unreadable"])


def test_a_class_without_a_readable_image(tmp_path, data):
    for path, fake in zip(data.folder.paths, data.folder.is_fake, strict=True):
        if fake:
            path.write_bytes(b"no image")
    with pytest.raises(DataError, match="no manipulated image could be scored"):
        run_benchmark([model_of(tmp_path)[0]], [data], cache=tmp_path / "c", watch=ignore)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("df/0_0.png", 0.5, 0.5)], "23 of 24 images are not listed, such as df/0_1.png"),
        ([("df/0_0.png", 0.5, 0.5)] * 2, "df/0_0.png is listed twice"),
        ([("df/0_0.png", 1.5, 0.5)], "df/0_0.png: scores must be numbers of 0..1"),
        ([("df/0_0.png", "nan", 0.5)], "df/0_0.png: scores must be numbers of 0..1"),
        ([("df/0_0.png", 0.5, "")], "df/0_0.png: scores must be numbers of 0..1"),
        ([("df/0_0.png",)], "line 2 is too short"),
    ],
)
def test_stored_scores_that_do_not_fit(tmp_path, data, rows, message):
    table = write_scores(tmp_path / "scores.csv", rows)
    with pytest.raises(ValueError, match=re.escape(message)):
        read_predictions(Stored(name="s", files={"made": str(table)}), data)


def test_stored_scores_without_their_columns(tmp_path, data):
    table = tmp_path / "scores.csv"
    table.write_text("file,score\n")
    with pytest.raises(ValueError, match="needs the columns 'file', 'fake_probability'"):
        read_predictions(Stored(name="s", files={"made": str(table)}), data)


# Comparing


def test_every_image_is_judged_by_its_own_threshold(tmp_path, data):
    """As in a cross-validation: the folds have different thresholds."""
    table = write_scores(
        tmp_path / "folds.csv",
        [
            (path.as_posix(), 0.2 + 0.1 * fake + 0.5 * (n % 2), 0.25 + 0.5 * (n % 2))
            for n, (path, fake) in enumerate(
                zip(data.folder.names, data.folder.is_fake, strict=True)
            )
        ],
    )
    folds = Stored(name="folds", files={"made": str(table)})
    result = run_benchmark([folds], [data], cache=tmp_path / "cache", watch=ignore)
    figures = result["results"][0]["image"]["figures"]
    assert figures["accuracy"] == {"value": 1, "low": 1, "high": 1}
    assert figures["auc"]["value"] == 0.75
    assert result["models"][0]["predictions"]["made"]["sha256"] == file_hash(table)


def test_differences_are_paired():
    """Two models that err in the same groups differ by nearly nothing, in every draw."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 8)
    is_fake = group % 2 == 1
    first = np.clip(0.3 + 0.2 * is_fake + rng.normal(0, 0.2, 20)[group], 0, 1)
    second = np.clip(first + rng.normal(0, 0.005, 160), 0, 1)
    half = np.full(160, 0.5)
    models = [
        ModelScores("a", first, half),
        ModelScores("b", second, half),
        ModelScores("c", 1 - first, half),
    ]
    names = [f"g{n:02}" for n in group]
    measured, differences = compare(is_fake, names, models, by_group=True, progress=ignore)
    assert [(d["first"], d["second"]) for d in differences] == [("a", "b"), ("a", "c"), ("b", "c")]
    a, b, c = (entry["image"]["figures"]["auc"] for entry in measured)
    near, far = (pair["image"]["auc"] for pair in differences[:2])
    assert near["value"] == pytest.approx(a["value"] - b["value"])
    assert near["high"] - near["low"] < 0.3 * (a["high"] - a["low"])
    assert far["value"] == pytest.approx(a["value"] - c["value"])
    assert far["low"] > 0
    assert measured[0]["group"]["count"] == 20
    assert measured[0]["group"]["figures"]["auc"]["value"] > 0.6


def test_worst_groups_come_first(tmp_path, data):
    model = stored(tmp_path, data, lambda name, fake: 0.9 if "101" in name else float(fake))
    result = run_benchmark([model], [data], cache=tmp_path / "cache", watch=ignore)
    worst, second, *_ = result["results"][0]["worst_groups"]
    assert worst == {
        "group": "101",
        "truth": "real",
        "images": 3,
        "accuracy": 0,
        "mean_probability": pytest.approx(0.9),
    }
    assert second["accuracy"] == 1


def test_without_groups_there_is_no_group_level(tmp_path, root):
    data = DataSet.read("made", str(root))
    result = run_benchmark([model_of(tmp_path)[0]], [data], cache=tmp_path / "c", watch=ignore)
    assert result["data"][0]["lacks_groups"]
    assert result["data"][0]["groups"] is None
    assert set(result["results"][0]) & {"group", "worst_groups"} == set()


def test_band_of_the_model_is_used(tmp_path, data):
    model, _ = model_of(tmp_path, lambda x: np.full(len(x), 0.5), threshold=0.5, band=(0.4, 0.6))
    result = run_benchmark([model], [data], cache=tmp_path / "cache", watch=ignore)
    figures = result["results"][0]["image"]["figures"]
    assert figures["uncertain"]["value"] == 1
    assert figures["accuracy_decided"] == {"value": None, "low": None, "high": None}
    assert result["models"][0]["band"] == [0.4, 0.6]


@pytest.mark.parametrize(
    ("trained_on", "domain"),
    [(None, "not declared"), ({"made"}, "in-domain"), ({"web"}, "unseen")],
)
def test_domain(data, trained_on, domain):
    assert (
        ComparedModel(name="c", trained_on=trained_on and frozenset(trained_on)).domain(data)
        == domain
    )


# The page


class Page(HTMLParser):
    """Collects links and texts, and checks that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.links, self.open, self.headings = [], [], {}
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings[data] = ""
        elif self.headings:
            self.headings[list(self.headings)[-1]] += data + "\n"


@pytest.fixture
def result(tmp_path, data, root):
    other = DataSet.read("<b>second</b>", str(root), "video")
    home = stored(
        tmp_path, data, lambda name, fake: 0.7 * fake, name="home", trained_on=frozenset({"made"})
    )
    away, _ = model_of(tmp_path, name="away")
    watched = Model(name="watched", source="w", detector=away.detector, trained_on=frozenset())
    return run_benchmark(
        [home, away, watched],
        [data, other],
        cache=tmp_path / "cache",
        watch=ignore,
        robustness=8,
    ) | {"command": "mesonet benchmark --data 'a&b'"}


def test_page_is_self_contained_and_keeps_domains_apart(result):
    page = Page(render(result))
    assert page.links
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    seen, unseen = page.headings["Data like the training data"], page.headings["Unseen data"]
    assert "home" in seen and "watched" not in seen and "away" not in seen
    assert "watched" in unseen and "home" not in unseen and "away" not in unseen
    assert "away" in page.headings["Training data not declared"]
    assert "<b>second</b>" in unseen
    assert "every image was scored" in page.headings["Images not scored"]
    assert "jpeg" in page.headings["Robustness"]


def test_json_says_it_all(result):
    content = json.loads(json.dumps(result, allow_nan=False))
    assert content["schema_version"] == SCHEMA_VERSION
    assert [(e["model"], e["data"], e["domain"]) for e in content["results"]] == [
        ("home", "made", "in-domain"),
        ("away", "made", "not declared"),
        ("watched", "made", "unseen"),
        ("away", "<b>second</b>", "not declared"),
        ("watched", "<b>second</b>", "unseen"),
    ]
    for entry in content["results"]:
        for level in ("image", "group"):
            for figure in entry[level]["figures"].values():
                assert figure["low"] <= figure["high"]
            assert sum(row["count"] for row in entry[level]["reliability"]) == entry[level]["count"]
    assert len(content["differences"]) == 4
    assert {e["model"] for e in content["robustness"]} == {"away", "watched"}
    assert all(e["images"] == 8 for e in content["robustness"])


def test_what_a_file_says_of_its_training_is_believed(tmp_path, data):
    known = TrainingData.of(["other"], data.folder.paths[:2])
    said, _ = model_of(tmp_path, training_data=known, name="said")
    named, _ = model_of(tmp_path, training_data=TrainingData(("made",)), name="named")
    silent, _ = model_of(tmp_path, name="silent")
    with pytest.warns(UserWarning, match="said was trained on images of made: on 2 of the 24"):
        result = run_benchmark([said, named, silent], [data], cache=tmp_path, watch=ignore)
    domains = {entry["model"]: entry["domain"] for entry in result["results"]}
    assert domains == {"said": "in-domain", "named": "in-domain", "silent": "not declared"}
    assert [model["recorded"] for model in result["models"]] == [["other"], ["made"], None]
    assert "by its file" in render(result | {"command": "x"})


def test_page_of_a_single_model_has_no_differences(tmp_path, data):
    only = stored(tmp_path, data, lambda name, fake: 0.5)
    result = run_benchmark([only], [data], cache=tmp_path / "cache", watch=ignore)
    page = Page(render(result | {"command": "mesonet benchmark"}))
    assert set(page.headings) == {
        "Models",
        "Data",
        "Training data not declared",
        "Curves, by image",
        "Worst groups",
        "What the figures mean",
        "Images not scored",
    }
