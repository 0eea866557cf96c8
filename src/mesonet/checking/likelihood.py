"""How much more a score is to be expected of a manipulated face than of a real one.

Forensic reports weigh two propositions against each other: ENFSI, "Guideline for Evaluative
Reporting in Forensic Science" (2015). A model's calibration counts both kinds the same, so the odds
of its probability are that ratio.
"""

from dataclasses import dataclass
from typing import Any

from mesonet.checking.scale import Scale

PROPOSITIONS = ("The face was manipulated.", "The face was not manipulated.")

LIKELIHOOD_MEANING = (
    "The likelihood ratio says how many times more often the model gives such a score to "
    "manipulated faces than to real ones, of the kinds that it was calibrated on. It is not the "
    "probability that the face was manipulated: that depends on everything else that is known. "
    "In words: up to 2 no support for either proposition, up to 10 weak, up to 100 moderate, up to "
    "1,000 moderately strong, up to 10,000 strong, beyond very strong support."
)

_STEPS = (
    (2.0, "no"),
    (10.0, "weak"),
    (100.0, "moderate"),
    (1_000.0, "moderately strong"),
    (10_000.0, "strong"),
)
_BEYOND = "very strong"


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A likelihood ratio and its range.

    Attributes:
        ratio: above 1 it supports manipulation, below 1 the contrary.
        low: the lowest under mild changes of the face; None where there were none.
        high: the highest.
        limit: the ratio is not told beyond this, nor below its inverse: as many faces as the
            calibration was tested on; None where nobody wrote down how many.
    """

    ratio: float
    low: float | None = None
    high: float | None = None
    limit: float | None = None

    @property
    def support(self) -> str:
        """The verbal scale's word, from ``"no"`` to ``"very strong"``."""
        size = max(self.ratio, 1 / self.ratio)
        return next((word for end, word in _STEPS if size <= end), _BEYOND)

    @property
    def words(self) -> str:
        """How much support, and for what."""
        if self.support == "no":
            return "no support for either proposition"
        which = "the first" if self.ratio > 1 else "the second"
        return f"{self.support} support for {which} proposition"

    @property
    def text(self) -> str:
        """Ratio, range and words, in a sentence."""
        text = f"Likelihood ratio {_number(self.ratio)}: {self.words}"
        if self.low is not None and self.high is not None:
            text += f"; {_number(self.low)} to {_number(self.high)} under mild changes of the face"
        return f"{text}."

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {
            "ratio": self.ratio,
            "low": self.low,
            "high": self.high,
            "limit": self.limit,
            "support": self.support,
            "text": self.text,
        }


def likelihood(
    fake_probability: float, scale: Scale, band: tuple[float, float] | None = None
) -> Likelihood | None:
    """The likelihood ratio of a calibrated probability; None where the model has no calibration.

    Args:
        fake_probability: calibrated, strictly between 0 and 1.
        scale: whose calibration it is.
        band: the lowest and the highest probability under mild changes.
    """
    if not scale.calibrated:
        return None
    evidence = scale.evidence
    limit = float(min(evidence.real, evidence.fake)) if evidence else None

    def ratio(probability: float) -> float:
        odds = probability / max(1 - probability, 1e-12)
        return odds if limit is None else min(max(odds, 1 / limit), limit)

    low, high = (None, None) if band is None else (ratio(band[0]), ratio(band[1]))
    return Likelihood(ratio(fake_probability), low, high, limit)


def _number(ratio: float) -> str:
    """A ratio with two digits, as a fraction below 1."""
    if ratio < 1:
        return f"1/{_number(1 / ratio)}" if ratio < 0.995 else "1.0"
    digits = 1 if ratio < 10 else 0
    rounded = float(f"{ratio:.2g}")
    return f"{rounded:,.{digits}f}"
