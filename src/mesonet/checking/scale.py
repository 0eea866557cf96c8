"""How a fake probability becomes a word, and what that word is worth."""

from dataclasses import dataclass
from typing import Any, Self

from mesonet.evidence import WORDS, Evidence, Word
from mesonet.model_info import ModelInfo

TEXTS: dict[Word, str] = {
    "no_evidence": "no evidence of manipulation",
    "uncertain": "uncertain",
    "some_evidence": "some evidence of manipulation",
    "strong_evidence": "strong evidence of manipulation",
}

CAUTION = (
    "No evidence does not mean authentic: a model sees the kinds of manipulation it was trained on."
)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the words begin on the fake probability, 0..1.

    Attributes:
        threshold: from here on the model calls a face manipulated, be that certain or not.
        uncertain: from here on there is more than no evidence.
        some: from here on there is some evidence.
        strong: from here on there is strong evidence; None where it was not measured.
        evidence: the measured rates; None where nobody measured them.
        of_clips: whether the limits are those of clips; those of single images are taken for
            clips where a model has no others.
        error_rate: what share of the verdicts outside uncertainty was wrong in validation.
        kinds: which kinds of manipulation the model was measured on.
        calibrated: whether the probabilities are calibrated: those of single faces may be, those of
            clips are not.
    """

    threshold: float
    uncertain: float
    some: float
    strong: float | None = None
    evidence: Evidence | None = None
    of_clips: bool = False
    error_rate: float | None = None
    kinds: tuple[str, ...] = ()
    calibrated: bool = False

    @classmethod
    def of(cls, info: ModelInfo, *, clip: bool = False) -> Self:
        """The scale of a model, for photographs or clips."""
        calibrated = info.calibration is not None and not clip
        evidence = (clip and info.clip_evidence) or info.evidence
        if evidence:
            return cls(
                threshold=info.threshold,
                uncertain=evidence.uncertain,
                some=evidence.some,
                strong=evidence.strong,
                evidence=evidence,
                of_clips=clip and evidence is info.clip_evidence,
                kinds=info.kinds,
                calibrated=calibrated,
            )
        low, high = info.band or (info.threshold, info.threshold)
        return cls(
            threshold=info.threshold,
            uncertain=low,
            some=high,
            error_rate=info.error_rate,
            kinds=info.kinds,
            calibrated=calibrated,
        )

    def word(self, fake_probability: float) -> Word:
        """The word for a probability."""
        if self.strong is not None and fake_probability >= self.strong:
            return "strong_evidence"
        if fake_probability >= self.some:
            return "some_evidence"
        return "uncertain" if fake_probability >= self.uncertain else "no_evidence"

    def meaning(self, word: Word) -> str:
        """What was measured for a word, in a sentence."""
        if self.evidence:
            place, unit = WORDS.index(word), self.evidence.unit
            real, fake = (
                _of_hundred(shares[place])
                for shares in (self.evidence.real_shares, self.evidence.fake_shares)
            )
            return (
                f"Of 100 real {unit} {real} are called so, of 100 manipulated ones {fake} "
                f"(measured on {self.evidence.real:,} and {self.evidence.fake:,})."
            )
        if self.error_rate is None:
            return "How often this word is wrong was not measured for this model."
        if word == "uncertain":
            return (
                "The model does not decide here: outside, at most "
                f"{_of_hundred(self.error_rate)} of 100 validation images of each verdict were "
                "wrong. Rates of single words were not measured."
            )
        return (
            f"At most {_of_hundred(self.error_rate)} of 100 validation images that were called so "
            "were wrong. How many real faces are called so was not measured."
        )

    @property
    def scope(self) -> str:
        """For which manipulations the model was measured, in a sentence."""
        if not self.kinds:
            return "The model's card says which kinds of manipulation it was measured on."
        return f"Measured on: {', '.join(self.kinds)}. It says little about other kinds."

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {
            "threshold": self.threshold,
            "starts": {
                "uncertain": self.uncertain,
                "some_evidence": self.some,
                "strong_evidence": self.strong,
            },
            "meanings": {word: self.meaning(word) for word in WORDS},
            "rates": self._rates(),
            "error_rate": self.error_rate,
            "measured_on": self.evidence.unit if self.evidence else None,
            "level": "clip" if self.of_clips else "image",
            "kinds": list(self.kinds),
        }

    def _rates(self) -> dict[str, Any] | None:
        if self.evidence is None:
            return None
        shares = zip(WORDS, self.evidence.real_shares, self.evidence.fake_shares, strict=True)
        return {
            "real": self.evidence.real,
            "fake": self.evidence.fake,
            "shares": {word: [real, fake] for word, real, fake in shares},
        }


def _of_hundred(share: float) -> str:
    """A share as a number of 100, with a decimal only where it matters."""
    return f"{100 * share:.1f}" if 0 < share < 0.02 else f"{100 * share:.0f}"
