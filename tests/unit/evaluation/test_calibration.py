import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mesonet.evaluation.calibration import (
    calibrate,
    check_better_than_chance,
    choose_band,
    cross_calibrate,
    fit_calibration,
)
from mesonet.model_info import Calibration, ModelInfo

ROWS = st.lists(
    st.tuples(st.booleans(), st.floats(0, 1) | st.sampled_from([0.2, 0.5, 0.8])),
    min_size=4,
    max_size=60,
).filter(lambda rows: len({fake for fake, _ in rows}) == 2)
CERTAIN = st.floats(1e-9, 1 - 1e-9)


def arrays(rows):
    return np.array([fake for fake, _ in rows]), np.array([score for _, score in rows])


def overconfident(count=20_000, temperature=2.5, bias=-0.8, share=0.5, seed=0):
    """Truth, and the scores of a network that ``Calibration(temperature, bias)`` puts right."""
    rng = np.random.default_rng(seed)
    is_fake = rng.random(count) < share
    honest = rng.normal(np.where(is_fake, 1, -1), np.sqrt(2))  # the log odds, if balanced
    return is_fake, 1 / (1 + np.exp(-(temperature * honest - bias)))


def likelihood(is_fake, raw, calibration):
    """Mean log likelihood with softened truth, each class one half."""
    p = calibration.apply(raw)
    fakes, reals = is_fake.sum(), (~is_fake).sum()
    target = np.where(is_fake, (fakes + 1) / (fakes + 2), 1 / (reals + 2))
    each = target * np.log(p) + (1 - target) * np.log1p(-p)
    return each[is_fake].mean() + each[~is_fake].mean()


def test_the_known_distortion_is_found():
    fitted = fit_calibration(*overconfident())
    assert fitted.temperature == pytest.approx(2.5, rel=0.05)
    assert fitted.bias == pytest.approx(-0.8, abs=0.1)


def test_calibrated_probabilities_come_true():
    is_fake, raw = overconfident()
    p = fit_calibration(is_fake, raw).apply(raw)
    for low in np.arange(0, 1, 0.2):
        chosen = (p >= low) & (p < low + 0.2)
        assert is_fake[chosen].mean() == pytest.approx(p[chosen].mean(), abs=0.03)


def test_the_mix_of_classes_does_not_matter():
    even, uneven = (fit_calibration(*overconfident(share=share)) for share in (0.5, 0.1))
    assert uneven.temperature == pytest.approx(even.temperature, rel=0.1)
    assert uneven.bias == pytest.approx(even.bias, abs=0.2)


@given(rows=ROWS)
def test_no_other_calibration_is_likelier(rows):
    is_fake, raw = arrays(rows)
    fitted = fit_calibration(is_fake, raw)
    assume(fitted.temperature < 99)
    best = likelihood(is_fake, raw, fitted)
    for factor in (0.8, 1.25):
        other = Calibration(fitted.temperature * factor, fitted.bias)
        assert likelihood(is_fake, raw, other) <= best + 1e-4
    for step in (-0.2, 0.2):
        shifted = Calibration(fitted.temperature, fitted.bias + step)
        assert likelihood(is_fake, raw, shifted) <= best + 1e-4


def test_a_network_without_mistakes_is_not_taken_for_infallible():
    is_fake = np.repeat([False, True], 10)
    p = fit_calibration(is_fake, np.where(is_fake, 0.9, 0.1)).apply(np.array([0.1, 0.9]))
    assert p == pytest.approx([1 / 12, 11 / 12], abs=1e-3)


@pytest.mark.parametrize("worth", [0, -1])
def test_scores_that_say_nothing_or_the_contrary_become_one_half(worth):
    is_fake = np.arange(200) % 2 == 1
    raw = 0.3 + 0.2 * worth * is_fake
    fitted = fit_calibration(is_fake, raw)
    assert fitted.apply(raw) == pytest.approx(np.full(200, 0.5), abs=0.02)
    assert np.diff(fitted.apply(np.linspace(0, 1, 50))).min() >= 0


def test_both_classes_are_needed():
    one = np.array([True, True])
    for call in (fit_calibration, lambda a, b: choose_band(a, b, 0.5, 0.1)):
        with pytest.raises(ValueError, match="both classes"):
            call(one, np.array([0.2, 0.4]))


# The band


def wrong_share(is_fake, called, fake):
    """Share of wrong ones among those called so, each class one half; nothing is never wrong."""
    of_fakes, of_reals = called[is_fake].mean(), called[~is_fake].mean()
    return (of_reals if fake else of_fakes) / max(of_fakes + of_reals, 1e-12)


@given(
    rows=st.lists(st.tuples(st.booleans(), CERTAIN), min_size=2, max_size=40).filter(
        lambda rows: len({fake for fake, _ in rows}) == 2
    ),
    threshold=CERTAIN,
    error_rate=st.floats(0, 0.5),
)
@example(rows=[(False, 0.5), (True, 0.5)], threshold=0.5, error_rate=0.05)
def test_the_band_is_the_narrowest_that_keeps_the_error_rate(rows, threshold, error_rate):
    is_fake, p = arrays(rows)
    low, high = choose_band(is_fake, p, threshold, error_rate)
    assert 0 < low <= threshold <= high < 1
    allowed = error_rate + 1e-9
    assert wrong_share(is_fake, p < low, False) <= allowed
    assert wrong_share(is_fake, p >= high, True) <= allowed
    for end in [*p, threshold]:
        if low < end <= threshold and (p < end).sum() > (p < low).sum():
            assert wrong_share(is_fake, p < end, False) >= error_rate - 1e-9
        if threshold <= end < high and (p >= end).sum() > (p >= high).sum():
            assert wrong_share(is_fake, p >= end, True) >= error_rate - 1e-9


@given(threshold=st.floats(0.4, 0.6), error_rate=st.floats(0, 1))
def test_nothing_is_uncertain_where_nothing_is_wrong(threshold, error_rate):
    is_fake = np.array([False, False, True, True])
    band = choose_band(is_fake, np.array([0.1, 0.39, 0.61, 0.9]), threshold, error_rate)
    assert band == (threshold, threshold)


def test_everything_is_uncertain_where_nothing_can_be_decided():
    is_fake = np.arange(100) % 2 == 1
    low, high = choose_band(is_fake, np.full(100, 0.5), 0.5, 0.05)
    assert 0 < low <= 0.5 < high < 1


def test_the_more_errors_are_allowed_the_less_is_uncertain():
    is_fake, p = overconfident(2000, 1, 0)
    widths = [np.diff(choose_band(is_fake, p, 0.5, rate))[0] for rate in (0.01, 0.05, 0.1, 0.5)]
    assert widths[0] > widths[1] > widths[2] > widths[3] == 0


@pytest.mark.parametrize(("threshold", "rate"), [(0.5, -0.1), (0.5, 2), (1.5, 0.1)])
def test_numbers_out_of_range(threshold, rate):
    with pytest.raises(ValueError, match=r"0\.\.1"):
        choose_band(np.array([True, False]), np.array([0.4, 0.6]), threshold, rate)


# All together


@given(rows=ROWS, error_rate=st.floats(0, 0.5))
def test_any_scores_give_a_valid_description(rows, error_rate):
    info = calibrate(ModelInfo("meso4"), *arrays(rows), error_rate)
    assert info.architecture == "meso4"
    assert info.error_rate == error_rate
    assert ModelInfo.from_dict(info.to_dict()) == info


def test_the_error_rate_is_kept_on_other_images():
    info = calibrate(ModelInfo(), *overconfident(seed=1), error_rate=0.05)
    is_fake, raw = overconfident(seed=2)
    p = info.calibrated(raw)
    assert wrong_share(is_fake, p < info.band[0], False) == pytest.approx(0.05, abs=0.01)
    assert wrong_share(is_fake, p >= info.band[1], True) == pytest.approx(0.05, abs=0.01)


def test_scores_out_of_fold_are_judged_by_other_groups():
    is_fake, raw = overconfident(3000)
    groups = [str(n // 10) for n in range(3000)]
    out_of_fold = cross_calibrate(is_fake, raw, groups, 0.05)
    assert 0.1 < out_of_fold.uncertain.mean() < 0.9
    assert out_of_fold.error_rate(called_fake=True) == pytest.approx(0.05, abs=0.03)
    assert out_of_fold.error_rate(called_fake=False) == pytest.approx(0.05, abs=0.03)
    flattered = calibrate(ModelInfo(), is_fake, raw).calibrated(raw)
    assert 0 < np.abs(out_of_fold.fake_probability - flattered).max() < 0.05


def test_no_calibration_is_fitted_on_the_group_it_judges():
    is_fake, raw = overconfident(400)
    groups = [str(n // 20) for n in range(400)]
    own = np.arange(400) // 20 == 3
    out_of_fold = cross_calibrate(is_fake, raw, groups)
    again = cross_calibrate(is_fake, np.where(own, 1 - raw, raw), groups)
    assert (out_of_fold.threshold[own] == again.threshold[own]).all()
    assert (out_of_fold.threshold[~own] != again.threshold[~own]).any()


def test_nobody_is_called_real_has_no_error_rate():
    out_of_fold = cross_calibrate(
        np.arange(40) % 2 == 1, np.full(40, 0.5), [str(n) for n in range(40)]
    )
    assert out_of_fold.uncertain.all()
    assert out_of_fold.error_rate(called_fake=False) is None


def test_one_group_of_a_class_is_too_little():
    is_fake = np.array([True, True, False, False])
    with pytest.raises(ValueError, match="two groups"):
        cross_calibrate(is_fake, np.linspace(0, 1, 4), ["a", "a", "b", "c"])


def test_chance_is_refused():
    is_fake, raw = overconfident(400)
    check_better_than_chance(is_fake, raw)
    for useless in (1 - raw, np.full(400, 0.5)):
        with pytest.raises(ValueError, match="no better than chance on these images .ROC AUC 0."):
            check_better_than_chance(is_fake, useless)


def test_a_calibration_of_little_use_is_told_with_figures():
    is_fake, raw = overconfident(2000)
    groups = [str(n) for n in range(2000)]
    assert list(cross_calibrate(is_fake, raw, groups, 0.05).doubts(0.05)) == []
    out_of_fold = cross_calibrate(is_fake, raw, groups, 0.2)
    wrong = list(out_of_fold.doubts(0.1))
    assert len(wrong) == 2
    assert f"{out_of_fold.error_rate(False):.1%} of the real verdicts were wrong" in wrong[0]
    assert "10.0% were asked for" in wrong[1]
    weak = 0.5 + (raw - 0.5) / 50 + np.random.default_rng(0).normal(0, 0.1, 2000)
    unsure = next(cross_calibrate(is_fake, weak, groups, 0.01).doubts(0.5))
    assert "of the images are left uncertain" in unsure
