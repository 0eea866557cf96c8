import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    roc_auc_score,
)

from mesonet.evaluation.curves import reliability, risk_coverage, roc
from mesonet.evaluation.figures import Sample, measure_auc, measure_figures
from mesonet.evaluation.metrics import (
    auc,
    bootstrap_interval,
    choose_threshold,
    draw_groups,
    group_means,
    measure,
)

SCORES = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=4, max_size=60).filter(
    lambda rows: len({fake for fake, _ in rows}) == 2
)

TIED_SCORES = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8).map(lambda n: n / 8)), min_size=4, max_size=60
).filter(lambda rows: len({fake for fake, _ in rows}) == 2)


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


def one(figures):
    return {name: values[0] for name, values in figures.items()}


@given(rows=SCORES | TIED_SCORES, threshold=st.floats(0, 1), data=st.data())
def test_figures_agree_with_scikit_learn_for_any_weights(rows, threshold, data):
    is_fake, scores = arrays(rows)
    counts = st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))
    weights = np.array(data.draw(counts))
    weights[[np.argmax(is_fake), np.argmin(is_fake)]] += 1
    figures = measure_figures(
        Sample(is_fake, scores, threshold), np.array([weights, weights * 0 + 1])
    )
    for row, sample_weight in enumerate((weights, None)):
        given_weights = {"sample_weight": sample_weight}
        called = scores >= threshold
        expected = {
            "auc": roc_auc_score(is_fake, scores, **given_weights),
            "average_precision": average_precision_score(is_fake, scores, **given_weights),
            "accuracy": accuracy_score(is_fake, called, **given_weights),
            "balanced_accuracy": balanced_accuracy_score(is_fake, called, **given_weights),
            "brier": brier_score_loss(is_fake, scores, **given_weights),
        }
        found = {name: figures[name][row] for name in expected}
        assert found == pytest.approx(expected, abs=1e-9)
        assert measure_auc(Sample(is_fake, scores, threshold), weights[None])[0] == pytest.approx(
            figures["auc"][0]
        )


@given(rows=SCORES | TIED_SCORES)
def test_error_rates_lie_where_they_can(rows):
    is_fake, scores = arrays(rows)
    figures = one(measure_figures(Sample(is_fake, scores, 0.5)))
    assert 0 <= figures["tpr_at_fpr_1"] <= figures["tpr_at_fpr_5"] <= 1
    assert 0 <= figures["eer"] <= 1
    assert 0 <= figures["ece"] <= 1
    turned = one(measure_figures(Sample(~is_fake, 1 - scores, 0.5)))
    if len(np.unique(1 - scores)) == len(np.unique(scores)):
        assert turned["eer"] == pytest.approx(figures["eer"])
        assert turned["auc"] == pytest.approx(figures["auc"])


@given(seed=st.integers(0, 10**6), levels=st.sampled_from([20, 1000]))
def test_found_at_few_false_alarms_is_the_best_of_all_thresholds(seed, levels):
    rng = np.random.default_rng(seed)
    is_fake = np.repeat([False, True], [200, 80])
    scores = np.clip(rng.normal(0.4 + 0.2 * is_fake, 0.15), 0, 1)
    scores = np.round(scores * levels) / levels
    weights = rng.integers(0, 3, len(scores))
    figures = measure_figures(Sample(is_fake, scores, 0.5), weights[None])
    for name, most in (("tpr_at_fpr_1", 0.01), ("tpr_at_fpr_5", 0.05)):
        best = 0.0
        for threshold in np.unique(scores):
            called = scores >= threshold
            alarms, found = (np.average(called[k], weights=weights[k]) for k in (~is_fake, is_fake))
            if alarms <= most:
                best = max(best, found)
        assert figures[name][0] == pytest.approx(best)


@given(rows=SCORES | TIED_SCORES)
def test_a_score_for_all_is_guessing(rows):
    is_fake, _ = arrays(rows)
    figures = one(measure_figures(Sample(is_fake, np.full(len(is_fake), 0.5), 0.5)))
    assert figures["auc"] == figures["eer"] == figures["balanced_accuracy"] == 0.5
    assert figures["tpr_at_fpr_5"] == 0
    assert figures["brier"] == 0.25


def test_equal_error_rate_of_known_scores():
    is_fake = np.array([False] * 4 + [True] * 4)
    scores = np.array([0.1, 0.2, 0.3, 0.7, 0.4, 0.6, 0.8, 0.9])
    figures = one(measure_figures(Sample(is_fake, scores, 0.5)))
    assert figures["eer"] == pytest.approx(0.25)
    assert figures["tpr_at_fpr_1"] == figures["tpr_at_fpr_5"] == 0.5


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(1, 5)), min_size=1, max_size=8))
def test_calibrated_scores_have_no_calibration_error(blocks):
    """Blocks of ten times k images, of which the share that the score says is manipulated."""
    is_fake, scores = [False, True], [0.0, 1.0]
    for tenths, size in blocks:
        is_fake += [True] * (tenths * size) + [False] * ((10 - tenths) * size)
        scores += [tenths / 10] * (10 * size)
    sample = Sample(np.array(is_fake), np.array(scores), 0.5)
    assert one(measure_figures(sample))["ece"] == pytest.approx(0, abs=1e-9)


@given(rows=SCORES | TIED_SCORES)
def test_calibration_error_is_the_gap_in_the_reliability_plot(rows):
    sample = Sample(*arrays(rows), 0.5)
    bins = [row for row in reliability(sample) if row["count"]]
    assert sum(row["count"] for row in bins) == len(rows)
    gap = sum(row["count"] * abs(row["mean_probability"] - row["share_fake"]) for row in bins)
    assert one(measure_figures(sample))["ece"] == pytest.approx(gap / len(rows), abs=2e-5)
    for row in bins:
        assert row["low"] - 1e-5 <= row["mean_probability"] <= row["high"] + 1e-5


def test_uncertain_images_are_counted_apart():
    is_fake = np.array([False, False, True, True])
    scores = np.array([0.1, 0.45, 0.4, 0.9])
    figures = one(measure_figures(Sample(is_fake, scores, 0.5, band=(0.4, 0.6))))
    assert figures["uncertain"] == 0.5
    assert figures["accuracy_decided"] == 1
    assert figures["accuracy"] == 0.75
    nothing = one(measure_figures(Sample(is_fake, scores, 0.5, band=(0, 1))))
    assert nothing["uncertain"] == 1
    assert np.isnan(nothing["accuracy_decided"])
    assert "uncertain" not in measure_figures(Sample(is_fake, scores, 0.5))


def test_figures_need_both_classes():
    with pytest.raises(ValueError, match="both classes"):
        Sample(np.array([True, True]), np.array([0.1, 0.2]), 0.5)


@given(rows=SCORES | TIED_SCORES, threshold=st.floats(0, 1))
def test_risk_at_full_coverage_is_the_error_rate(rows, threshold):
    sample = Sample(*arrays(rows), threshold)
    curve = risk_coverage(sample)
    assert curve["coverage"] == sorted(set(curve["coverage"]))
    assert curve["coverage"][-1] == 1
    assert curve["risk"][-1] == pytest.approx(1 - sample.right.mean(), abs=1e-5)


def test_the_surest_verdicts_come_first():
    sample = Sample(np.array([True, False, True, False]), np.array([0.9, 0.3, 0.6, 0.65]), 0.6)
    curve = risk_coverage(sample)
    assert curve["coverage"] == [0.25, 0.5, 0.75, 1]
    assert curve["risk"] == pytest.approx([0, 0, 1 / 3, 1 / 4], abs=1e-5)


@given(rows=SCORES | TIED_SCORES)
def test_area_below_the_plotted_curve(rows):
    is_fake, scores = arrays(rows)
    curve = roc(Sample(is_fake, scores, 0.5))
    area = np.trapezoid(curve["found"], curve["false_alarms"])
    assert area == pytest.approx(auc(is_fake, scores), abs=1e-3)


def test_draws_hold_whole_groups_of_both_classes():
    is_fake = np.array([True, True, False, False, False])
    counts = draw_groups(is_fake, np.array([0, 0, 1, 2, 2]), rounds=50, seed=3)
    assert counts.shape == (50, 3)
    assert (counts.sum(axis=1) == 3).all()
    assert (counts[:, 0] > 0).all()
    assert (counts[:, 1:].sum(axis=1) > 0).all()
    assert len(np.unique(counts, axis=0)) > 3


def test_all_draws_at_once_give_the_interval():
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(12), 10)
    is_fake = group % 2 == 1
    scores = np.clip(0.4 + 0.2 * is_fake + rng.normal(0, 0.2, 120), 0, 1)
    draws = measure_auc(
        Sample(is_fake, scores, 0.5), draw_groups(is_fake, group, rounds=200)[:, group]
    )
    expected = bootstrap_interval(auc, is_fake, scores, [f"{g:02}" for g in group], rounds=200)
    assert np.quantile(draws, [0.025, 0.975]) == pytest.approx(expected)
