"""Sentences about rates, likelihood ratios and explanations, in English and Spanish."""

import pytest
from django.utils.translation import override

from mesonet.checking.likelihood import likelihood
from mesonet.checking.scale import Scale
from mesonet.evidence import WORDS, Evidence
from mesonet.model_info import Calibration, ModelInfo
from mesonet_site.pages.check.why import Reason, Weight, meaning, ratio_text

RATES = Evidence(0.2, 0.5, 0.9, (0.8, 0.15, 0.045, 0.005), (0.1, 0.2, 0.3, 0.4), 1014, 1341)
MEASURED = Scale.of(ModelInfo(calibration=Calibration(1.0, 0.0), evidence=RATES))


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    "scale", [MEASURED, Scale(0.5, 0.3, 0.7), Scale(0.5, 0.3, 0.7, error_rate=0.05)]
)
def test_meanings_are_those_of_the_library(scale: Scale, word: str) -> None:
    with override("en"):
        ours = meaning(scale.to_dict(), word)
    numbers = [part for part in scale.meaning(word).replace(",", "").split() if part[:1].isdigit()]
    assert all(number.strip("().") in ours.replace(",", "") for number in numbers)
    if scale is MEASURED:
        assert ours == scale.meaning(word)


def test_meaning_in_spanish() -> None:
    with override("es"):
        text = meaning(MEASURED.to_dict(), "strong_evidence")
    assert text.startswith("De 100 caras reales, 0,5 se califican así; de 100 manipuladas, 40")


def test_results_without_rates_have_no_meaning() -> None:
    assert meaning({"meanings": {"uncertain": ""}}, "uncertain") == ""
    assert meaning(MEASURED.to_dict(), None) == ""


@pytest.mark.parametrize("probability", [0.5, 0.7, 0.99, 0.01, 0.9999])
def test_weights_are_those_of_the_library(probability: float) -> None:
    found = likelihood(probability, MEASURED, (0.4, 0.8))
    assert found is not None
    with override("en"):
        weight = Weight(found.to_dict())
    assert found.text.startswith(f"Likelihood ratio {weight.ratio}: ")
    assert found.words.split(" for ")[0] in weight.text
    assert ("not manipulated" in weight.text) == ("the second" in found.words)
    assert weight.range is not None
    assert " to ".join(weight.range) in found.text


def test_ratios_are_written_as_the_language_does() -> None:
    with override("es"):
        assert (ratio_text(4.04), ratio_text(0.31)) == ("4,0", "1/3,2")
        assert ratio_text(12_345).startswith("12")


def test_regions_in_words() -> None:
    shares = {"eyes": 0.61, "mouth": 0.31, "skin": 0.08}
    explanation = {"method": "regions", "title": "by region", "shares": shares}
    with override("es"):
        assert Reason(explanation, {}).text == "Lo que llevaba la puntuación: ojos 61 %, boca 31 %."
    with override("en"):
        none = explanation | {"shares": dict.fromkeys(shares, 0.0)}
        assert "No single region" in Reason(none, {}).text


def test_map_without_a_picture_is_not_shown() -> None:
    found = Reason({"method": "occlusion", "title": "occlusion", "shares": None}, {})
    assert (found.map, found.text) == (None, "")
