"""Why a person got a verdict: rates of the word, likelihood ratio, where the score came from."""

from collections.abc import Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from mesonet_site.pages.check.words import METHODS, REGIONS, STRENGTHS

Record = Mapping[str, Any]

_WORTH_NAMING = 0.1


def meaning(model: Record, verdict: str | None) -> str:
    """How often real and manipulated ones were given the word when the model was measured.

    Args:
        model: of a check's record.
        verdict: the word; without one nothing is said.
    """
    if verdict is None or "rates" not in model:
        return model["meanings"].get(verdict, "")
    if rates := model["rates"]:
        real, fake = rates["shares"][verdict]
        values = {
            "real": of_hundred(real),
            "fake": of_hundred(fake),
            "reals": count(rates["real"]),
            "fakes": count(rates["fake"]),
        }
        if model["level"] == "clip":
            text = _(
                "Of 100 real clips %(real)s are called so, of 100 manipulated ones %(fake)s "
                "(measured on %(reals)s and %(fakes)s)."
            )
        else:
            text = _(
                "Of 100 real faces %(real)s are called so, of 100 manipulated ones %(fake)s "
                "(measured on %(reals)s and %(fakes)s)."
            )
        return text % values
    if model["error_rate"] is None:
        return _("How often this word is wrong was not measured for this model.")
    rate = {"rate": of_hundred(model["error_rate"])}
    if verdict == "uncertain":
        text = _(
            "The model does not decide here. Outside, at most %(rate)s of 100 images of each "
            "verdict were wrong when it was validated."
        )
    else:
        text = _("At most %(rate)s of 100 images that were called so in validation were wrong.")
    return text % rate


class Weight:
    """A likelihood ratio in words.

    Attributes:
        ratio: such as ``"20"`` or ``"1/20"``.
        text: how strongly it supports which proposition.
        range: lowest and highest ratio under mild changes; None where there were none.
    """

    def __init__(self, likelihood: Record) -> None:
        self.ratio = ratio_text(likelihood["ratio"])
        self.text = self._words(likelihood)
        low, high = likelihood["low"], likelihood["high"]
        self.range = None if low is None else (ratio_text(low), ratio_text(high))

    @staticmethod
    def _words(likelihood: Record) -> str:
        if likelihood["support"] == "no":
            return _("no support for either proposition")
        if likelihood["ratio"] > 1:
            text = _("%(strength)s for “the face was manipulated”")
        else:
            text = _("%(strength)s for “the face was not manipulated”")
        return text % {"strength": STRENGTHS[likelihood["support"]]}


class Reason:
    """Where a score came from, by one method.

    Attributes:
        title: the method's name.
        text: what carried the score, by region; empty for a map.
        map: address of the picture; None for regions, and where none was kept.
    """

    def __init__(self, explanation: Record, maps: Mapping[str, str]) -> None:
        self.title = METHODS.get(explanation["method"], explanation["title"])
        self.map = maps.get(explanation["method"])
        self.text = _regions(explanation["shares"]) if explanation["shares"] else ""


def _regions(shares: Mapping[str, float]) -> str:
    named = ", ".join(
        f"{REGIONS[name]} {number_format(100 * share, 0)} %"
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
        if share >= _WORTH_NAMING
    )
    if not named:
        return _("No single region carried the score: hiding any of them does not lower it.")
    return _("What carried the score: %(regions)s.") % {"regions": named}


def ratio_text(ratio: float) -> str:
    """A ratio with two digits, as a fraction below 1, as the reader's language writes numbers."""
    if ratio < 1:
        return f"1/{ratio_text(1 / ratio)}" if ratio < 0.995 else number_format(1.0, 1)
    return number_format(float(f"{ratio:.2g}"), 1 if ratio < 10 else 0, force_grouping=True)


def of_hundred(share: float) -> str:
    """A share as a number of 100, with a decimal only where it matters."""
    return number_format(100 * share, 1 if 0 < share < 0.02 else 0)


def count(number: int) -> str:
    """A number of things, grouped."""
    return number_format(number, 0, force_grouping=True)
