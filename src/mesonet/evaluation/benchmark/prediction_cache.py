"""Predictions kept on disk, so that an interrupted or repeated measurement goes on.

One SQLite file holds the score of every image, by model and perturbation. Models and images are
known by the SHA-256 of their files: moving a file loses nothing, and changing one loses only what
it must.
"""

import sqlite3
import time
import warnings
from contextlib import closing
from pathlib import Path

from mesonet import __version__
from mesonet.errors import DataError
from mesonet.files import cache_folder

# The number is to be raised when images are decoded, resized or perturbed in another way too
_MADE_BY = f"mesonet {__version__}, format 1"
_SECONDS_BETWEEN_SAVES = 5.0
_SECONDS_TO_WAIT = 60.0
_TABLE = """
CREATE TABLE IF NOT EXISTS scores (
    model TEXT NOT NULL,
    perturbation TEXT NOT NULL,
    image TEXT NOT NULL,
    made_by TEXT NOT NULL,
    fake_probability REAL NOT NULL CHECK (fake_probability BETWEEN 0 AND 1),
    PRIMARY KEY (model, perturbation, image)
) WITHOUT ROWID
"""


def default_cache() -> Path:
    """``predictions`` in the cache folder."""
    return cache_folder() / "predictions"


class PredictionCache:
    """The scores of one model on images under one perturbation, by the images' hashes.

    As a context it saves what it learnt when it is left, in whatever way. Several processes may
    share a folder. A damaged file is begun again, with a warning.

    Args:
        folder: holds the scores of all models; made when needed.
        model_hash: `file_hash` of the model.
        perturbation: name of what is done to the images, if anything.

    Raises:
        mesonet.errors.DataError: the file in the folder cannot be read or written.
    """

    def __init__(self, folder: Path, model_hash: str, perturbation: str | None = None) -> None:
        self._path = folder / "scores.sqlite3"
        self._key = (model_hash, perturbation or "untouched")
        self._scores = self._read() if self._path.exists() else {}
        self._unsaved: dict[str, float] = {}
        self._saved = time.monotonic()

    def __enter__(self) -> "PredictionCache":
        return self

    def __exit__(self, *_: object) -> None:
        self.save()

    def get(self, image_hash: str) -> float | None:
        """The image's score 0..1, if it is known."""
        return self._scores.get(image_hash)

    def add(self, image_hash: str, fake_probability: float) -> None:
        """Keep a score; every few seconds what is new is written."""
        self._scores[image_hash] = self._unsaved[image_hash] = fake_probability
        if time.monotonic() - self._saved > _SECONDS_BETWEEN_SAVES:
            self.save()

    def save(self) -> None:
        """Write what is new, all of it or nothing."""
        if not self._unsaved:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        rows = [(*self._key, image, _MADE_BY, score) for image, score in self._unsaved.items()]
        try:
            with closing(sqlite3.connect(self._path, _SECONDS_TO_WAIT)) as file, file:
                file.execute(_TABLE)
                file.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise DataError(self._path, f"scores cannot be kept here: {error}") from error
        self._unsaved.clear()
        self._saved = time.monotonic()

    def _read(self) -> dict[str, float]:
        try:
            with closing(sqlite3.connect(self._path, _SECONDS_TO_WAIT)) as file, file:
                file.execute(_TABLE)
                return dict(
                    file.execute(
                        "SELECT image, fake_probability FROM scores"
                        " WHERE model = ? AND perturbation = ? AND made_by = ?",
                        (*self._key, _MADE_BY),
                    )
                )
        except sqlite3.OperationalError as error:
            raise DataError(self._path, f"cannot be read: {error}") from error
        except sqlite3.DatabaseError:
            warnings.warn(f"{self._path}: begun again, a damaged cache file", stacklevel=3)
            self._path.unlink()
            return {}
