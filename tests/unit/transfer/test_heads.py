import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mesonet.backend import keras
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing
from mesonet.transfer.extractor import make_extractor
from mesonet.transfer.heads import Logistic, Mlp, describe
from mesonet.transfer.notebook import Notebook, NotebookSigmoid
from mesonet.transfer.search import GRID, HEADS, find_heads
from mesonet.transfer.store import Rows

QUICK = (
    Logistic(0.1),
    Mlp(0.01, hidden=8, epochs=60),
    Notebook(1e-4, 1e-3, epochs=3, learning_rate=0.02),
    NotebookSigmoid(1e-4, 1e-3, epochs=6, learning_rate=0.02),
)
SIDE, CHANNELS = 2, 5


@pytest.fixture(scope="module")
def samples():
    """Feature maps of 400 and 100 images; one channel knows the class, of another scale each."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 500)
    features = rng.normal(size=(500, SIDE, SIDE, CHANNELS))
    features[..., 2] += 1.5 * labels[:, None, None]
    features = (7 + features * [1, 30, 0.1, 5, 2]).astype(np.float32)
    return features[:400], labels[:400], features[400:], labels[400:]


@pytest.mark.parametrize("head", QUICK, ids=lambda head: head.name)
def test_heads_learn_and_start_afresh(head, samples):
    features, labels, held_out, truth = samples
    fitted = head.fit(features, labels, seed=1)
    scores = fitted.predict_proba(held_out)
    assert scores.shape == (100,)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert roc_auc_score(truth, scores) > 0.9
    head.fit(features, 1 - labels, seed=1)
    again = head.fit(features, labels, seed=1).predict_proba(held_out)
    assert np.allclose(again, scores, atol=1e-6)


@pytest.mark.parametrize("head", QUICK, ids=lambda head: head.name)
def test_rows_of_a_larger_array_do_as_well(head, samples):
    features, labels, held_out, _ = samples
    order = np.random.default_rng(1).permutation(400)
    shuffled = np.empty_like(features)
    shuffled[order] = features
    before = shuffled.copy()
    rows = Rows(shuffled, order)
    expected = head.fit(features, labels).predict_proba(held_out)
    assert np.allclose(head.fit(rows, labels).predict_proba(held_out), expected, atol=1e-6)
    assert np.array_equal(shuffled, before)


def test_logistic_is_scikit_learns(samples):
    features, labels, held_out, _ = samples
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=1 / (0.5 * 400)))
    reference.fit(features.reshape(400, -1), labels)
    expected = reference.predict_proba(held_out.reshape(100, -1))[:, 1]
    scores = Logistic(0.5).fit(features, labels).predict_proba(held_out)
    assert np.allclose(scores, expected, atol=1e-3)


def test_the_factor_weighs_the_same_for_more_rows(samples):
    features, labels, held_out, _ = samples
    once = Logistic(0.5).fit(features, labels).predict_proba(held_out)
    twice = Logistic(0.5).fit(np.tile(features, (2, 1, 1, 1)), np.tile(labels, 2))
    assert np.allclose(twice.predict_proba(held_out), once, atol=1e-3)


def test_mlp_is_scikit_learns(samples):
    features, labels, held_out, _ = samples
    reference = make_pipeline(
        StandardScaler(),
        MLPClassifier((8,), alpha=0.5 * 64, batch_size=64, max_iter=20, random_state=3),
    )
    with pytest.warns(ConvergenceWarning):
        reference.fit(features.reshape(400, -1), labels)
    expected = reference.predict_proba(held_out.reshape(100, -1))[:, 1]
    scores = Mlp(0.5, hidden=8, epochs=20).fit(features, labels, seed=3).predict_proba(held_out)
    assert np.allclose(scores, expected, atol=1e-4)


@pytest.mark.parametrize("head", [Notebook, NotebookSigmoid], ids=lambda head: head.name)
def test_folded_layers_equal_the_network(head, samples, monkeypatch):
    """Softmax of the trained network's outputs, batch normalisation by its running statistics."""
    features, labels, held_out, _ = samples
    networks = []
    build = head._build

    def remember(self, *arguments):
        networks.append(build(self, *arguments))
        return networks[-1]

    monkeypatch.setattr(head, "_build", remember)
    fitted = head(1e-4, 1e-3, epochs=2).fit(features, labels)
    expected = networks[0].predict(held_out.reshape(100, -1), verbose=0)[:, 1]
    assert np.allclose(fitted.predict_proba(held_out), expected, atol=1e-5)


def test_a_sigmoid_before_the_softmax_keeps_the_loss_up():
    """The softmax of two values in 0..1 gives at most .731, which is a loss of .313."""
    labels = np.repeat([0, 1], 100)
    rows = np.repeat(labels[:, None], 30, axis=1).astype(np.float32)
    losses = [
        head(0, 0, epochs=20, batch_size=20, learning_rate=0.3)
        .fit(rows, labels, validation=(rows, labels))
        .curve[-1]
        .loss
        for head in (Notebook, NotebookSigmoid)
    ]
    assert losses[0] < 0.25
    assert 0.3132 < losses[1] < 0.4


def test_the_curve_has_a_point_every_ten_batches(samples):
    features, labels, held_out, truth = samples
    watched = held_out, truth
    head = Notebook(epochs=2, batch_size=16, learning_rate=0.02)
    curve = head.fit(features, labels, validation=watched).curve
    assert [(point.step, point.epoch, point.batch) for point in curve] == [
        (10, 1, 10),
        (20, 1, 20),
        (35, 2, 10),
        (45, 2, 20),
    ]
    assert curve[-1].accuracy > 0.7
    assert curve[-1].validation_accuracy > 0.7
    assert Notebook(epochs=1).fit(features, labels).curve == ()


def test_watching_changes_nothing(samples):
    features, labels, held_out, truth = samples
    head = Notebook(epochs=1)
    watched = head.fit(features, labels, validation=(held_out, truth))
    blind = head.fit(features, labels)
    assert np.array_equal(watched.predict_proba(held_out), blind.predict_proba(held_out))


def test_both_factors_bear_on_all_parameters(samples):
    """At the start the scales of the batch normalisation, all 1, make up nearly all of it."""
    features, labels, held_out, truth = samples
    inputs = features[0].size

    def first_loss(l1, l2):
        head = Notebook(l1, l2, epochs=1, learning_rate=1e-9)
        return head.fit(features, labels, validation=(held_out, truth)).curve[0].loss

    plain = first_loss(0, 0)
    l1, l2 = first_loss(100, 0) / 100, first_loss(0, 100) / 100
    assert plain < 3
    assert inputs < l1 < inputs + 2.5 * (inputs + 1) * inputs**-0.5
    assert inputs / 2 < l2 < inputs / 2 + 2.5


@pytest.mark.parametrize("pooling", ["none", "layers"])
@pytest.mark.parametrize("head", QUICK, ids=lambda head: head.name)
def test_one_model_with_the_backbone(head, pooling, tmp_path):
    keras.utils.set_random_seed(0)
    ip = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, 2, padding="same", activation="relu")(ip)
    backbone = keras.Model(ip, keras.layers.Conv2D(6, 3, 2, padding="same")(x))
    extractor = make_extractor(backbone, pooling)
    images = np.random.default_rng(0).uniform(-1, 1, (60, 8, 8, 3)).astype(np.float32)
    labels = np.arange(60) % 2
    features = extractor.predict(images, verbose=0)
    fitted = head.fit(features, labels)
    model = fitted.to_keras(extractor)
    assert model.output_shape == (None, 1)
    info = ModelInfo(preprocessing=Preprocessing(8), class_names=("df", "real"), threshold=0.3)
    save_model(model, tmp_path / "detector.keras", info)
    loaded, described = load_model(tmp_path / "detector.keras")
    assert described == info
    scores = loaded.predict(images, verbose=0)[:, 0]
    assert np.allclose(scores, fitted.predict_proba(features), atol=1e-4)
    assert np.ptp(scores) > 1e-3


def test_heads_by_name():
    assert find_heads(["logistic", "mlp"], search=False) == [Logistic(), Mlp()]
    assert find_heads(["notebook"], search=True) == list(GRID["notebook"])
    assert set(GRID) == set(HEADS)
    assert all(head.name == name for name, heads in GRID.items() for head in heads)
    assert describe(Notebook(0.5, 0.25))["head"] == "notebook"
    assert describe(Notebook(0.5, 0.25))["l1"] == 0.5
    with pytest.raises(ValueError, match="there is no head 'svm'; known are logistic, mlp"):
        find_heads(["svm"], search=False)
