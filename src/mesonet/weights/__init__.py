"""Weights that the project trained and ships, each with a card beside it.

A released model is a ``.keras`` file, an ``.onnx`` export of the same network for a quick
start, and a card ``.md`` that says what it was trained on and what it can and cannot do.
"""

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mesonet.model_info import ModelInfo

DEFAULT = "mesolite"

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Released:
    """A released model.

    Attributes:
        name: the name it is asked for by.
        path: the ``.keras`` file.
    """

    name: str
    path: Path

    @property
    def onnx(self) -> Path:
        """The same network for the quick start."""
        return self.path.with_suffix(".onnx")

    @property
    def card(self) -> Path:
        """Data, protocol, figures and limits, in Markdown."""
        return self.path.with_suffix(".md")

    @property
    def summary(self) -> str:
        """The card's first paragraph, in one line."""
        paragraph = self.card.read_text(encoding="utf-8").split("\n\n")[1]
        return " ".join(paragraph.split())

    @cached_property
    def info(self) -> ModelInfo:
        """Preprocessing, class names and threshold, read without Keras."""
        with zipfile.ZipFile(self.path) as archive:
            return ModelInfo.from_dict(json.loads(archive.read("mesonet.json")))


def list_released() -> list[Released]:
    """All released models, by name."""
    return [Released(path.stem, path) for path in sorted(_FOLDER.glob("*.keras"))]


def released(name: str) -> Released | None:
    """The released model of this name, if there is one."""
    return next((model for model in list_released() if model.name == name), None)
