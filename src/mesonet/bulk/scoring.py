"""What is done to a shard: verdicts on face crops, or checks of photographs and clips."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from mesonet import __version__
from mesonet.bulk.items import Item
from mesonet.bulk.parquet import CHECKS, VERDICTS, Row, Schema
from mesonet.bulk.reading import checks, verdicts
from mesonet.detector import Detector
from mesonet.parallel import cores


class Scorer(Protocol):
    """A loaded model with its settings, which turns items into rows.

    Attributes:
        schema: columns of the rows.
        description: what the rows are made by, as plain types.
    """

    schema: Schema
    description: dict[str, Any]

    def rows(self, items: Sequence[Item]) -> Iterator[Row]:
        """Give a row for each item, in order."""
        ...


class VerdictScorer:
    """Scores face crops as `mesonet.detector.Detector.predict` does; its parameters are here."""

    schema = VERDICTS

    def __init__(
        self,
        model: str,
        architecture: str | None = None,
        threshold: float | None = None,
        batch_size: int = 8,
    ) -> None:
        self.detector = Detector.load(model, architecture=architecture)
        self._options: dict[str, Any] = {"threshold": threshold, "batch_size": batch_size}
        self.description = _description("predict", self.detector, threshold=threshold)

    def rows(self, items: Sequence[Item]) -> Iterator[Row]:
        """Give a row for each item, in order."""
        found = verdicts(self.detector, items, **self._options)
        for item, verdict in zip(items, found, strict=True):
            yield _facts(item) | verdict.to_dict()


class CheckScorer:
    """Checks photographs and clips as `mesonet.checking.Checker` does; its parameters are here."""

    schema = CHECKS

    def __init__(
        self, model: str | None, frames: int, quick: bool = False, explain: bool = False
    ) -> None:
        from mesonet.checking import Checker
        from mesonet.faces import CenterFace

        faces = CenterFace(streams=cores())
        self.checker = Checker(model, faces=faces, frames=frames, quick=quick, explain=explain)
        self.detector = self.checker.detector
        self.description = _description(
            "check", self.detector, frames=frames, quick=quick, explain=explain
        )

    def rows(self, items: Sequence[Item]) -> Iterator[Row]:
        """Give a row for each item, in order."""
        for item, check in zip(items, checks(self.checker, items), strict=True):
            unreadable = check.outcome == "unreadable"
            yield _facts(item) | {
                "kind": check.kind,
                "outcome": check.outcome,
                "verdict": check.verdict,
                "fake_probability": check.fake_probability,
                "error": "; ".join(check.notes) if unreadable else None,
                "record": json.dumps(check.to_dict()),
            }


def _facts(item: Item) -> Row:
    return {"path": item.path, "size": item.size, "modified": item.modified}


def _description(command: str, detector: Detector, **settings: Any) -> dict[str, Any]:
    return {
        "version": __version__,
        "command": command,
        "model": {"name": detector.name, "sha256": detector.sha256},
        "settings": settings,
    }
