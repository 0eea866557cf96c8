"""The one place that imports Keras, so that its backend starts without noise.

TensorFlow's C++ side writes to the process's standard error before it reads its own log
level; the file descriptor is closed to it for the moment of the import. Python's exceptions
are not touched.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _native_stderr_silenced() -> Iterator[None]:
    sys.stderr.flush()
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)


with _native_stderr_silenced():
    import keras

__all__ = ["keras"]
