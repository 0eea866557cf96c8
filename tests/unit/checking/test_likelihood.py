import pytest

from mesonet.checking.likelihood import Likelihood, likelihood
from mesonet.checking.scale import Scale
from mesonet.evidence import Evidence
from mesonet.model_info import Calibration, ModelInfo

SCALE = Scale(0.5, 0.3, 0.7, calibrated=True)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1.0, "1.0: no support for either proposition"),
        (0.6, "1/1.7: no support for either proposition"),
        (4.0, "4.0: weak support for the first proposition"),
        (0.05, "1/20: moderate support for the second proposition"),
        (345.0, "340: moderately strong support for the first proposition"),
        (5_000.0, "5,000: strong support for the first proposition"),
        (60_000.0, "60,000: very strong support for the first proposition"),
    ],
)
def test_words_of_the_scale(ratio: float, words: str) -> None:
    assert Likelihood(ratio).text in (f"Likelihood ratio {words}.",)


def test_ratio_is_the_odds_of_a_calibrated_probability() -> None:
    found = likelihood(0.8, SCALE, (0.5, 0.9))
    assert found is not None
    assert found.ratio == pytest.approx(4)
    assert (found.low, found.high) == (pytest.approx(1), pytest.approx(9))
    assert found.text.endswith("proposition; 1.0 to 9.0 under mild changes of the face.")


def test_ratio_stays_within_what_was_tested() -> None:
    rates = Evidence(0.2, 0.5, 0.9, (0.8, 0.15, 0.04, 0.01), (0.1, 0.2, 0.3, 0.4), 50, 40)
    scale = Scale(0.5, 0.2, 0.5, evidence=rates, calibrated=True)
    assert likelihood(1 - 1e-9, scale) == Likelihood(40, limit=40)
    assert likelihood(1e-9, scale) == Likelihood(1 / 40, limit=40)


def test_only_calibrated_photographs_have_a_ratio() -> None:
    plain = ModelInfo()
    calibrated = ModelInfo(calibration=Calibration(1.0, 0.0))
    assert likelihood(0.9, Scale.of(plain)) is None
    assert likelihood(0.9, Scale.of(calibrated, clip=True)) is None
    assert likelihood(0.9, Scale.of(calibrated)) is not None
