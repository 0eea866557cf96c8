"""Weights that the project trained and ships, each with a card beside it.

A released model is a ``.keras`` file, an ``.onnx`` export of the same network for a quick
start, and a card ``.md`` that says what it was trained on and what it can and cannot do. Records of
measurements lie beside them, ``.exam.json`` and ``.robustness.json``. Where a
model stands on CLIP's image encoder, which is fetched, a ``.npz`` file has its head instead.
"""

import json
import zipfile
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from mesonet.files import file_hash, joint_hash
from mesonet.model_info import ModelInfo
from mesonet.weights.fetching import encoder_file

DEFAULT = "standard"
THOROUGH = "thorough"

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Released:
    """A released model.

    Attributes:
        name: the name it is asked for by.
        path: the ``.keras`` file, or the ``.npz`` file of a head.
    """

    name: str
    path: Path

    @property
    def needs_encoder(self) -> bool:
        """Whether it stands on CLIP's image encoder, and has no Keras network."""
        return self.path.suffix == ".npz"

    @property
    def is_ready(self) -> bool:
        """Whether all of its weights are on this machine."""
        return not self.needs_encoder or encoder_file().is_file()

    @property
    def onnx(self) -> Path:
        """The same network for the quick start."""
        return self.path.with_suffix(".onnx")

    @property
    def scored_files(self) -> tuple[Path, ...]:
        """The files that scores come from; records of measurements lie beside the first."""
        if not self.needs_encoder:
            return (self.onnx,)
        return (self.path, self.path.with_name(f"{DEFAULT}.onnx"), encoder_file())

    @property
    def card(self) -> Path:
        """Data, protocol, figures and limits, in Markdown."""
        return self.path.with_suffix(".md")

    @property
    def summary(self) -> str:
        """The card's first paragraph, in one line of plain text."""
        paragraph = self.card.read_text(encoding="utf-8").split("\n\n")[1]
        return " ".join(paragraph.replace("`", "").split())

    @cached_property
    def robustness(self) -> list[dict[str, Any]] | None:
        """What changes of pictures do to it; None where these very weights were not measured.

        See `mesonet.evaluation.benchmark.robustness.sweep`, for each set of data;
        ``mesonet benchmark --robustness`` wrote the file.
        """
        try:
            text = self.path.with_suffix(".robustness.json").read_text(encoding="utf-8")
            record = json.loads(text)
            if record["model_sha256"] == joint_hash(map(file_hash, self.scored_files)):
                return list(record["robustness"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    @cached_property
    def info(self) -> ModelInfo:
        """Preprocessing, class names and threshold, read without Keras."""
        with zipfile.ZipFile(self.path) as archive:
            return ModelInfo.from_dict(json.loads(archive.read("mesonet.json")))


def list_released() -> list[Released]:
    """The released models by name, be their weights all here or not."""
    paths = [path for suffix in ("keras", "npz") for path in _FOLDER.glob(f"*.{suffix}")]
    return [Released(path.stem, path) for path in sorted(paths)]


def released(name: str) -> Released | None:
    """The released model of this name, if there is one."""
    return next((model for model in list_released() if model.name == name), None)


@cache
def released_file(sha256: str) -> Released | None:
    """The released model whose file has this SHA-256, if there is one."""
    return next((model for model in list_released() if file_hash(model.path) == sha256), None)


def best_ready() -> str:
    """Name of the best detector whose weights are here: `THOROUGH`, else `DEFAULT`."""
    thorough = released(THOROUGH)
    return THOROUGH if thorough and thorough.is_ready else DEFAULT
