"""Which methods passed their exam for a model: a record beside its weights.

``mesonet benchmark --explain`` writes it. It holds for the very file that was examined.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesonet.detector import Detector
from mesonet.files import file_hash

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


def exam_path(detector: Detector) -> Path:
    """Where the record of a model lies."""
    return detector.scored_path.with_suffix(".exam.json")


def read_exam(detector: Detector) -> Exam:
    """The exam of the detector's file; nothing passed where it has none or has other weights."""
    try:
        record = json.loads(exam_path(detector).read_text(encoding="utf-8"))
        if record["model_sha256"] == file_hash(detector.scored_path):
            return Exam(tuple(record["passed"]), record)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return Exam((), {})
