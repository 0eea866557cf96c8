"""What came out of a run, and when it has gone wrong too often."""

from collections import Counter
from dataclasses import dataclass, field

from mesonet.errors import InputError

_ENOUGH = 100


@dataclass
class Outcome:
    """What came out of a run.

    Attributes:
        counts: rows by verdict or outcome.
        errors: rows of what could not be read.
        rows: all rows.
    """

    counts: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    rows: int = 0

    def add(self, label: str, is_error: bool) -> None:
        """Count a row."""
        self.counts[label] += 1
        self.errors += is_error
        self.rows += 1

    def check_errors(self, max_error_share: float | None, enough: int = _ENOUGH) -> None:
        """See that not too many of at least `enough` rows are errors.

        Raises:
            InputError: they are.
        """
        if max_error_share is None or self.rows < enough:
            return
        if self.errors > max_error_share * self.rows:
            raise InputError(
                "",
                f"{self.errors:,} of {self.rows:,} could not be read, more than the share of "
                f"{max_error_share:g} that is allowed; what was done until then is kept",
            )

    @property
    def summary(self) -> str:
        """How many of each, such as ``"3 real, 1 unreadable"``; empty where there is nothing."""
        counted = sorted(self.counts.items())
        return ", ".join(f"{count:,} {word.replace('_', ' ')}" for word, count in counted)

    def has_errors(self, max_error_share: float | None) -> bool:
        """Whether there are errors although nobody allowed for some.

        Raises:
            InputError: more errors than are allowed.
        """
        self.check_errors(max_error_share, enough=1)
        return max_error_share is None and self.errors > 0
