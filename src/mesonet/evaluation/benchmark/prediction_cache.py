"""Predictions kept on disk, so that an interrupted or repeated measurement goes on.

There is one JSON file per model and perturbation, which holds a score for each image. Models and
images are known by the SHA-256 of their files: moving a file loses nothing, and changing one
loses only what it must.
"""

import json
import time
import warnings
from pathlib import Path

from mesonet import __version__
from mesonet.files import cache_folder, write_text

# To be raised when images are decoded, resized or perturbed in another way too
_FORMAT = 1
_SECONDS_BETWEEN_SAVES = 5.0


def default_cache() -> Path:
    """``predictions`` in the cache folder."""
    return cache_folder() / "predictions"


class PredictionCache:
    """The scores of one model on images under one perturbation, by the images' hashes.

    As a context it saves what it learnt when it is left, in whatever way.

    Args:
        folder: holds the files of all models; made when needed.
        model_hash: `file_hash` of the model.
        perturbation: name of what is done to the images, if anything.
    """

    def __init__(self, folder: Path, model_hash: str, perturbation: str | None = None) -> None:
        name = (perturbation or "untouched").replace(" ", "-")
        self._path = folder / model_hash / f"{name}.json"
        self._scores = self._read()
        self._saved = time.monotonic()
        self._changed = False

    def __enter__(self) -> "PredictionCache":
        return self

    def __exit__(self, *_: object) -> None:
        self.save()

    def get(self, image_hash: str) -> float | None:
        """The image's score 0..1, if it is known."""
        return self._scores.get(image_hash)

    def add(self, image_hash: str, fake_probability: float) -> None:
        """Keep a score; every few seconds all are written."""
        self._scores[image_hash] = fake_probability
        self._changed = True
        if time.monotonic() - self._saved > _SECONDS_BETWEEN_SAVES:
            self.save()

    def save(self) -> None:
        """Write all scores; the file is complete at any time, and keeps what others added."""
        if not self._changed:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._scores = self._read() | self._scores
        content = {"format": _FORMAT, "mesonet": __version__, "scores": self._scores}
        write_text(self._path, json.dumps(content))
        self._saved = time.monotonic()
        self._changed = False

    def _read(self) -> dict[str, float]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            if (content["format"], content["mesonet"]) != (_FORMAT, __version__):
                return {}
            scores = {str(image): float(score) for image, score in content["scores"].items()}
            if not all(0 <= score <= 1 for score in scores.values()):
                raise ValueError("a score lies outside 0..1")
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, LookupError, AttributeError):
            warnings.warn(f"{self._path}: left out, a damaged cache file", stacklevel=3)
            return {}
        return scores
