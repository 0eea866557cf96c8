"""Tell real faces from manipulated ones.

Importing any part of the package selects TensorFlow as the Keras backend unless
``KERAS_BACKEND`` says otherwise, and keeps TensorFlow's start-up messages off the terminal.
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesonet.checking import Checker, check

__all__ = ["Checker", "__version__", "check"]

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the library when it is asked for; importing the package alone costs nothing."""
    if name in ("Checker", "check"):
        from mesonet import checking

        return getattr(checking, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
