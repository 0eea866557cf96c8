"""Loads a model in a process of its own, which may take too long, or crash, and harm nobody.

``python -m classifiers.loading_check PATH`` ends with 0, or with 3 and the reason on standard
output.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np

from mesonet.errors import ModelFileError

_REFUSED = 3


def check_loading(path: Path, seconds: float) -> None:
    """Load a model file and score one image with it, elsewhere.

    Raises:
        ModelFileError: the file is refused, takes longer than ``seconds``, or crashes the process.
    """
    command = [sys.executable, "-m", "classifiers.loading_check", str(path)]
    try:
        done = subprocess.run(command, timeout=seconds, capture_output=True, text=True, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise ModelFileError(path, f"takes longer than {seconds:g} seconds to load") from None
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
    sys.exit(_load(sys.argv[1]))
