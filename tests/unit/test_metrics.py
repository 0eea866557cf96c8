import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from mesonet.evaluation.metrics import (
    auc,
    bootstrap_interval,
    choose_threshold,
    group_means,
    measure,
)

SCORES = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=4, max_size=60).filter(
    lambda rows: len({fake for fake, _ in rows}) == 2
)


def arrays(rows):
    return np.array([fake for fake, _ in rows]), np.array([score for _, score in rows])


@given(rows=SCORES, threshold=st.floats(0, 1))
def test_agrees_with_scikit_learn(rows, threshold):
    is_fake, scores = arrays(rows)
    metrics = measure(is_fake, scores, threshold)
    called = scores >= threshold
    assert metrics.accuracy == pytest.approx(accuracy_score(is_fake, called))
    assert metrics.balanced_accuracy == pytest.approx(balanced_accuracy_score(is_fake, called))
    assert metrics.auc == pytest.approx(roc_auc_score(is_fake, scores))
    assert sum(map(sum, metrics.confusion)) == metrics.count == len(rows)


def test_one_class_has_no_auc():
    metrics = measure(np.array([True, True]), np.array([0.9, 0.1]), 0.5)
    assert metrics.auc is None
    assert metrics.balanced_accuracy == 0.5
    assert metrics.confusion == ((0, 0), (1, 1))


def test_nothing_to_measure():
    with pytest.raises(ValueError, match="nothing to measure"):
        measure(np.array([], bool), np.array([]), 0.5)


@given(rows=SCORES)
def test_chosen_threshold_is_as_good_as_any(rows):
    is_fake, scores = arrays(rows)
    chosen = choose_threshold(is_fake, scores)
    assert 0 <= chosen <= 1
    best = max(measure(is_fake, scores, t).balanced_accuracy for t in [0, *scores, 1])
    assert measure(is_fake, scores, chosen).balanced_accuracy == pytest.approx(best)


def test_chosen_threshold_lies_in_the_gap():
    is_fake = np.array([False, False, True, True])
    assert choose_threshold(is_fake, np.array([0.1, 0.2, 0.8, 0.9])) == pytest.approx(0.5)


def test_group_means_keep_the_classes_apart():
    is_fake = np.array([True, True, False, False, False])
    scores = np.array([0.8, 0.6, 0.1, 0.3, 0.5])
    truth, means = group_means(is_fake, scores, ["a", "a", "a", "b", "b"])
    assert truth.tolist() == [False, False, True]
    assert means == pytest.approx([0.1, 0.4, 0.7])


def test_interval_is_wider_when_images_come_in_groups():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 20)
    is_fake = group % 2 == 1
    scores = np.clip(0.5 + 0.1 * is_fake + rng.normal(0, 0.15, 20)[group], 0, 1)
    low, high = bootstrap_interval(auc, is_fake, scores, group.astype(str), rounds=300)
    single = np.arange(400).astype(str)
    narrow_low, narrow_high = bootstrap_interval(auc, is_fake, scores, single, rounds=300)
    assert low <= auc(is_fake, scores) <= high
    assert high - low > 1.5 * (narrow_high - narrow_low)


def test_interval_needs_both_classes():
    with pytest.raises(ValueError, match="both classes"):
        bootstrap_interval(auc, np.array([True]), np.array([0.5]), ["a"])
