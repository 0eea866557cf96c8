"""Loads a model in a process of its own, which may take too long, or crash, and harm nobody.

``python -m classifiers.loading_check PATH`` ends with 0, or with 3 and the reason on standard
output.
"""

import sys
from pathlib import Path

import numpy as np

from classifiers import child
from mesonet.errors import ModelFileError

_REFUSED = 3


def check_loading(path: Path, seconds: float) -> None:
    """Load a model file and score one image with it, elsewhere.

    Raises:
        ModelFileError: the file is refused, takes longer than ``seconds``, or crashes the process.
    """
    try:
        done = child.run("classifiers.loading_check", str(path), seconds)
    except TimeoutError as error:
        raise ModelFileError(path, f"{error} to load") from None
    if done.returncode == _REFUSED:
        raise ModelFileError(path, done.stdout.strip())
    if done.returncode:
        raise ModelFileError(path, "makes the program that loads it crash")


def _load(path: str) -> int:
    from mesonet.detector import Detector

    try:
        detector = Detector.load(path)
    except ModelFileError as error:
        print(error.reason)  # noqa: T201
        return _REFUSED
    size = detector.info.preprocessing.size
    detector.raw_scores(np.zeros((1, size, size, 3), np.float32))
    return 0


if __name__ == "__main__":
    child.follow()
    sys.exit(_load(sys.argv[1]))
