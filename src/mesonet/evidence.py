"""Words for a fake probability, and how often validation data was called so.

A model's description can bring an `Evidence` for single faces and one for clips. It is measured on
groups that the model was not trained on.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

Word = Literal["no_evidence", "uncertain", "some_evidence", "strong_evidence"]
WORDS: tuple[Word, ...] = ("no_evidence", "uncertain", "some_evidence", "strong_evidence")

Shares = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """From which ``fake_probability`` on each word is used, and its measured rates.

    Attributes:
        uncertain: from here on, but below ``some``: uncertain; below it there is no evidence.
        some: from here on, but below ``strong``: some evidence.
        strong: from here on: strong evidence.
        real_shares: shares of the real ones that are given each of `WORDS`; their sum is 1.
        fake_shares: shares of the manipulated ones.
        real: how many real ones the shares were measured on.
        fake: how many manipulated ones.
        unit: what was counted, such as ``"faces"`` or ``"clips"``.
    """

    uncertain: float
    some: float
    strong: float
    real_shares: Shares
    fake_shares: Shares
    real: int
    fake: int
    unit: str = "faces"

    def __post_init__(self) -> None:
        if not 0 <= self.uncertain <= self.some <= self.strong <= 1:
            raise ValueError("the words' limits must rise within 0..1")
        for shares in (self.real_shares, self.fake_shares):
            if len(shares) != len(WORDS) or not math.isclose(sum(shares), 1, abs_tol=0.01):
                raise ValueError(f"the shares of {len(WORDS)} words must sum to 1, not {shares!r}")
            if min(shares) < 0:
                raise ValueError(f"shares lie in 0..1, unlike {shares!r}")
        if min(self.real, self.fake) < 1:
            raise ValueError("shares are measured on at least one of each kind")
        if not (isinstance(self.unit, str) and 0 < len(self.unit) <= 30):
            raise ValueError(f"the unit must be a word, not {self.unit!r}")

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        shares = {"real_shares": list(self.real_shares), "fake_shares": list(self.fake_shares)}
        return asdict(self) | shares

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: a value is missing, of the wrong kind or out of range.
        """
        try:
            return cls(
                uncertain=float(values["uncertain"]),
                some=float(values["some"]),
                strong=float(values["strong"]),
                real_shares=_shares(values["real_shares"]),
                fake_shares=_shares(values["fake_shares"]),
                real=int(values["real"]),
                fake=int(values["fake"]),
                unit=values["unit"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a record of evidence: {error}") from error


def _shares(values: Any) -> Shares:
    first, second, third, fourth = map(float, values)
    return first, second, third, fourth
