"""Tell real faces from manipulated ones.

What most people need is here, and loaded when it is asked for::

    import mesonet

    for verdict in mesonet.Detector.load().predict(["face.jpg"]):
        print(verdict.path, verdict.label, verdict.fake_probability)

Importing any part of the package selects TensorFlow as the Keras backend unless
``KERAS_BACKEND`` says otherwise, and keeps TensorFlow's start-up messages off the terminal.
"""

import os
from importlib import import_module
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.2.0"

_HOMES = {
    "Calibration": "model_info",
    "Checker": "checking",
    "ClassFolders": "datasets.class_folders",
    "Detector": "detector",
    "Failure": "detector",
    "MesonetError": "errors",
    "ModelInfo": "model_info",
    "Preprocessing": "preprocessing",
    "Verdict": "detector",
    "check": "checking",
    "create_model": "architectures",
    "list_architectures": "architectures",
    "list_released": "weights",
    "load_model": "model_file",
    "save_model": "model_file",
    "train_model": "training.training",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    """Load what is asked for; importing the package alone costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mesonet' has no attribute {name!r}")
    return getattr(import_module(f"mesonet.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """What is loaded, and what can be."""
    return sorted({*globals(), *__all__})
