"""Which methods passed their exam for a model: a record beside its weights.

``mesonet benchmark --explain`` writes it. It holds for the very weights that were examined.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesonet.files import file_hash, joint_hash

MARGIN = 0.05
"""By so much a method has to beat the face prior in the pointing game on self-blended images."""


@dataclass(frozen=True, slots=True)
class Exam:
    """Results of a model's exam.

    Attributes:
        passed: names of the methods that beat the face prior, the best first.
        record: everything, as `mesonet.evaluation.explanations` wrote it; empty without an exam.
    """

    passed: tuple[str, ...]
    record: dict[str, Any]

    @property
    def taken(self) -> bool:
        """Whether these weights took it."""
        return bool(self.record)


def exam_path(weights: Path) -> Path:
    """Where the record of a model lies, by the file that its scores come from."""
    return weights.with_suffix(".exam.json")


def read_exam(weights: Sequence[Path]) -> Exam:
    """The exam of a model; nothing passed where it has none, or was another then.

    Args:
        weights: where scores come from, as `mesonet.detector.Detector.scored_files`.
    """
    try:
        record = json.loads(exam_path(weights[0]).read_text(encoding="utf-8"))
        if record["model_sha256"] == joint_hash(map(file_hash, weights)):
            return Exam(tuple(record["passed"]), record)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return Exam((), {})
