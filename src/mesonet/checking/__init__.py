"""Checking photographs and clips: who is on them, and is somebody forged?"""

import os

from mesonet.checking.checker import FRAMES, Checker
from mesonet.checking.likelihood import LIKELIHOOD_MEANING, PROPOSITIONS, Likelihood
from mesonet.checking.people import ENOUGH_FACES, combine, most_suspicious
from mesonet.checking.record import (
    OUTCOMES,
    Check,
    Explanation,
    FileFacts,
    Person,
    Pictures,
    SeenFace,
)
from mesonet.checking.scale import CAUTION, TEXTS, Scale
from mesonet.checking.tracking import MAX_PEOPLE
from mesonet.detector import Detector
from mesonet.media import MediaSource

__all__ = [
    "CAUTION",
    "ENOUGH_FACES",
    "FRAMES",
    "LIKELIHOOD_MEANING",
    "MAX_PEOPLE",
    "OUTCOMES",
    "PROPOSITIONS",
    "TEXTS",
    "Check",
    "Checker",
    "Explanation",
    "FileFacts",
    "Likelihood",
    "Person",
    "Pictures",
    "Scale",
    "SeenFace",
    "check",
    "combine",
    "most_suspicious",
]


def check(source: MediaSource, *, model: str | os.PathLike[str] | Detector | None = None) -> Check:
    """Check one photograph or clip; for many, make a `Checker` once.

    Args:
        source: path of a file, or the bytes of one.
        model: see `Checker`.

    Raises:
        mesonet.errors.ModelFileError: no such model, or a file that is refused.
    """
    return Checker(model).check(source)
