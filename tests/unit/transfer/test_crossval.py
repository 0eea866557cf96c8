import json
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import pytest
from matplotlib.image import imread
from sklearn.metrics import roc_auc_score

from mesonet.preprocessing import Preprocessing
from mesonet.transfer import crossval
from mesonet.transfer.crossval import Candidate, choose, cross_validate, fit_on_everything
from mesonet.transfer.heads import CurvePoint, FittedHead, Logistic, dense_layer
from mesonet.transfer.notebook import Notebook
from mesonet.transfer.results import plot_confusion, summarise, write_results
from mesonet.transfer.store import SCHEMA, FeatureDataset, FeatureRecipe


def write_store(folder, features, labels, groups=None, class_names=("df", "real"), **recipe):
    """A finished store of features of shape (images, views, values)."""
    folder.mkdir()
    np.save(folder / "features.npy", np.asarray(features, np.float32))
    made = FeatureRecipe(
        "made up", None, Preprocessing(8), augmented=features.shape[1] - 1, **recipe
    )
    index = {
        "schema": SCHEMA,
        "fingerprint": "",
        "recipe": asdict(made),
        "class_names": list(class_names),
        "names": [f"{class_names[y]}/{i}.png" for i, y in enumerate(labels)],
        "labels": [int(y) for y in labels],
        "groups": groups and [str(group) for group in groups],
    }
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "progress.json").write_text(json.dumps({"done": len(labels), "unreadable": {}}))
    return FeatureDataset(folder)


@pytest.fixture
def easy(tmp_path):
    """60 images in 30 groups, two views; the first of four values knows the class."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(30) % 2, 2)
    features = rng.normal(size=(60, 2, 4))
    features[..., 0] += 3 * labels[:, None]
    return write_store(tmp_path / "easy", features, labels, list(np.repeat(np.arange(30), 2)))


@dataclass(frozen=True)
class Watching:
    """A head that scores by one value, and refuses images of groups it was fitted to.

    The last value of the features is the number of the group.
    """

    column: int = 0
    scale: float = 1
    name: ClassVar[str] = "watching"
    fits: ClassVar[list[tuple[int, set[float]]]] = []

    def fit(self, features, labels, *, seed=0, validation=None):
        seen = set(np.asarray(features)[:, -1])
        assert len(features) == len(labels)
        self.fits.append((len(features), seen))
        if validation is not None:
            assert not seen & set(np.asarray(validation[0])[:, -1])
            assert len(validation[0]) == len(validation[1])
        kernel = np.zeros((features.shape[1], 1))
        kernel[self.column] = self.scale
        return Watched((dense_layer(kernel, np.zeros(1), "sigmoid"),), seen)


class Watched(FittedHead):
    def __init__(self, layers, seen):
        super().__init__(layers)
        object.__setattr__(self, "seen", seen)

    def predict_proba(self, features):
        assert not self.seen & set(np.asarray(features)[:, -1]), "a group is on both sides"
        return super().predict_proba(features)


@pytest.fixture
def watched(tmp_path, easy):
    """The images of `easy`; their last value names the group."""
    Watching.fits.clear()
    features = easy.features.copy()
    features[..., -1] = np.array(easy.groups, float)[:, None]
    return write_store(tmp_path / "watched", features, easy.labels, [int(g) for g in easy.groups])


def test_a_group_is_never_on_both_sides(watched):
    done = []
    folds = cross_validate(
        [Candidate(watched, Watching())],
        folds=5,
        inner_folds=3,
        repeats=2,
        progress=lambda *counts: done.append(counts),
    )
    assert len(folds) == 10
    assert len(Watching.fits) == 2 * 5 * (3 + 1)
    assert done == [(n + 1, 40) for n in range(40)]
    for repeat in range(2):
        held_out = np.concatenate([fold.images for fold in folds if fold.repeat == repeat])
        assert sorted(held_out) == list(range(60))
    assert not np.array_equal(folds[0].images, folds[5].images)


def test_training_uses_all_views_and_judging_the_first(watched):
    fold = cross_validate([Candidate(watched, Watching())])[0]
    assert Watching.fits[4][0] == 2 * (60 - len(fold.images))
    expected = 1 / (1 + np.exp(-watched.features[fold.images][..., 0].astype(float)))
    assert np.allclose(fold.fake_probability, 1 - expected[:, 0], atol=1e-6)
    assert np.allclose(fold.views_fake_probability, 1 - expected.mean(axis=1), atol=1e-6)


def test_features_of_a_group_do_not_leak(tmp_path):
    """Labels mean nothing, but every group has a look of its own that can be learned by heart."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(80), 4)
    labels = rng.permutation(np.arange(80) % 2)[groups]
    looks = rng.normal(size=(80, 60))
    features = (looks[groups] + 0.2 * rng.normal(size=(320, 60)))[:, None]
    kept = write_store(tmp_path / "kept", features, labels, list(groups))
    ignored = write_store(tmp_path / "ignored", features, labels)

    def measured(dataset):
        folds = cross_validate([Candidate(dataset, Logistic(0.03))], inner_folds=2)
        return summarise(folds, [Candidate(dataset, Logistic(0.03))])["image"]["auc"]

    assert measured(kept) == pytest.approx(0.5, abs=0.12)
    assert measured(ignored) > 0.9


def test_the_threshold_comes_from_inner_scores(easy, monkeypatch):
    seen = []
    original = crossval.choose_threshold

    def spy(is_fake, scores):
        seen.append((is_fake, scores))
        return original(is_fake, scores)

    monkeypatch.setattr(crossval, "choose_threshold", spy)
    folds = cross_validate([Candidate(easy, Logistic())])
    for fold, (is_fake, scores) in zip(folds, seen, strict=True):
        others = np.delete(np.arange(60), fold.images)
        assert np.array_equal(is_fake, easy.is_fake[others])
        assert fold.choice.threshold == pytest.approx(original(is_fake, scores))
        in_sample = Candidate(easy, Logistic()).score(fold.fitted, np.isin(np.arange(60), others))
        assert not np.allclose(scores, in_sample)


def test_inner_folds_choose_the_best_candidate(easy):
    candidates = [Candidate(easy, Watching(2)), Candidate(easy, Watching(0))]
    choice = choose(candidates, np.ones(60, bool), folds=3)
    assert choice.candidate is candidates[1]
    assert choice.aucs[1] > 0.9 > choice.aucs[0]
    folds = cross_validate(candidates, folds=3, inner_folds=3)
    assert all(fold.choice.candidate is candidates[1] for fold in folds)


def test_stores_compete(tmp_path, easy):
    noise = np.random.default_rng(1).normal(size=(60, 1, 7))
    groups = [int(group) for group in easy.groups]
    other = write_store(tmp_path / "other", noise, easy.labels, groups)
    candidates = [Candidate(other, Logistic()), Candidate(easy, Logistic())]
    choice, fitted = fit_on_everything(candidates, folds=3)
    assert choice.candidate.dataset is easy
    assert len(fitted.layers[0].kernel) == 4


def test_stores_of_different_images_do_not(tmp_path, easy):
    labels = 1 - easy.labels
    other = write_store(tmp_path / "other", easy.features, labels, [int(g) for g in easy.groups])
    with pytest.raises(ValueError, match="hold different images or groups"):
        cross_validate([Candidate(easy, Logistic()), Candidate(other, Logistic())])
    with pytest.raises(ValueError, match="nothing to choose from"):
        cross_validate([])


def test_too_few_groups(easy):
    part = easy.subset(np.isin(easy.groups, [str(g) for g in (*range(0, 30, 2), 1, 3, 5)]))
    with pytest.raises(ValueError, match="4 folds need at least 4 groups of each class; there are"):
        cross_validate([Candidate(part, Logistic())], folds=4, inner_folds=2)


def test_class_1_may_be_the_forged_one(tmp_path, easy):
    groups = [int(group) for group in easy.groups]
    turned = write_store(
        tmp_path / "turned", easy.features, easy.labels, groups, ("authentic", "forged")
    )
    folds = cross_validate([Candidate(turned, Logistic())], folds=3, inner_folds=2)
    for fold in folds:
        assert roc_auc_score(turned.labels[fold.images], fold.fake_probability) > 0.9


def test_the_summary_adds_up(easy):
    candidates = [Candidate(easy, Logistic(factor)) for factor in (0.1, 1.0)]
    folds = cross_validate(candidates, folds=3, inner_folds=2, repeats=2)
    summary = json.loads(json.dumps(summarise(folds, candidates)))
    assert summary["images"] == 60
    assert summary["groups"] == 30
    assert [candidate["l2"] for candidate in summary["candidates"]] == [0.1, 1.0]
    assert len(summary["folds"]) == 6
    predictions = summary["predictions"]
    assert len(predictions) == 120
    for row in summary["folds"]:
        own = [p for p in predictions if (p["repeat"], p["fold"]) == (row["repeat"], row["fold"])]
        fake = np.array([p["label"] == "df" for p in own])
        scores = np.array([p["fake_probability"] for p in own])
        called = scores >= row["threshold"]
        assert row["count"] == len(own)
        assert row["accuracy"] == pytest.approx(np.mean(called == fake))
        assert row["auc"] == pytest.approx(roc_auc_score(fake, scores))
        right = np.sum(called & fake)
        assert row["f1"] == pytest.approx(2 * right / (called.sum() + fake.sum()))
        assert row["inner_aucs"][row["chosen"]] == max(row["inner_aucs"])
    for figure in ("accuracy", "auc", "f1"):
        mean = np.mean([row[figure] for row in summary["folds"]])
        assert summary["mean"][figure] == pytest.approx(mean)
        low, high = summary["image"]["intervals"][figure]
        assert low <= summary["image"][figure] <= high
    confusions = [row["confusion"] for row in summary["folds"]]
    assert summary["image"]["confusion"] == np.sum(confusions, axis=0).tolist()
    assert summary["group"]["count"] == 60
    assert set(summary["views"]) == {"accuracy", "auc"}


def test_without_groups_and_views_there_are_no_such_figures(tmp_path, easy):
    alone = write_store(tmp_path / "alone", easy.features[:, :1], easy.labels)
    candidates = [Candidate(alone, Logistic())]
    summary = summarise(cross_validate(candidates, folds=2, inner_folds=2), candidates)
    assert "group" not in summary
    assert "views" not in summary
    assert summary["groups"] is None


def test_a_group_of_several_images_is_judged_by_its_mean(tmp_path):
    """Two images of each group err in opposite ways; together they are right."""
    labels = np.repeat(np.arange(20) % 2, 2)
    values = np.where(labels == 1, 1.0, -1.0) + np.tile([3.0, -3.0], 20)
    groups = np.repeat(np.arange(20), 2)
    features = np.column_stack([values, groups])[:, None]
    dataset = write_store(tmp_path / "pairs", features, labels, list(groups))
    candidates = [Candidate(dataset, Watching(scale=0.01))]
    summary = summarise(cross_validate(candidates, folds=2, inner_folds=2), candidates)
    assert summary["group"]["auc"] == 1
    assert summary["image"]["auc"] < 0.8


def test_results_are_written(tmp_path, easy):
    candidates = [Candidate(easy, Notebook(epochs=1, batch_size=6))]
    folds = cross_validate(candidates, folds=2, inner_folds=2)
    write_results(tmp_path, summarise(folds, candidates), folds)
    assert {path.name for path in tmp_path.iterdir()} >= {
        "confusion_matrix.png",
        "crossval.json",
        "curves.png",
    }
    summary = json.loads((tmp_path / "crossval.json").read_text())
    assert summary["folds"][0]["curve"][0]["step"] == 10
    assert summary["folds"][0]["curve"] == [asdict(p) for p in folds[0].fitted.curve]
    assert isinstance(folds[0].fitted.curve[0], CurvePoint)
    assert imread(tmp_path / "curves.png").std() > 0


def test_the_confusion_matrix_shows_counts_and_shares():
    figure = plot_confusion([[30, 10], [5, 15]])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["30\n75.0%", "10\n25.0%", "5\n25.0%", "15\n75.0%"]
