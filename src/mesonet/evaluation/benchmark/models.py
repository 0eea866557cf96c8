"""What a benchmark compares, models or stored predictions, and the data sets it scores."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import group_keys, look_like_frames
from mesonet.detector import Detector, Failure
from mesonet.errors import DataError
from mesonet.evaluation.benchmark.prediction_cache import PredictionCache
from mesonet.evaluation.metrics import Floats
from mesonet.files import file_hash, read_table
from mesonet.images.perturbations import Perturbation
from mesonet.images.reading import ImageSource, read_image
from mesonet.progress import Progress
from mesonet.training_data import TrainingData

IN_DOMAIN = "in-domain"

Watch = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is."""


@dataclass(frozen=True)
class DataSet:
    """A labelled folder under a name.

    Attributes:
        name: what it is called.
        source: the folder as it was named.
        folder: its images.
        grouping: how they were grouped, as it was named; None for each image by itself.
        groups: group of each image.
    """

    name: str
    source: str
    folder: ClassFolders
    grouping: str | None
    groups: Sequence[str]

    @classmethod
    def read(cls, name: str, source: str, grouping: str | None = None) -> Self:
        """List a data folder.

        Raises:
            mesonet.errors.DataError: it has not two class folders with images.
            ValueError: the grouping does not fit.
        """
        folder = ClassFolders.read(source)
        names = folder.names
        groups = group_keys(names, grouping) if grouping else [p.as_posix() for p in names]
        return cls(name, source, folder, grouping, groups)

    def part(self, table: Path, name: str) -> Self:
        """Keep the images that a table gives to one part, such as the validation part.

        Args:
            table: a CSV file with the columns ``file``, whose paths begin with this set's name, and
                ``part``.
            name: the part.

        Raises:
            mesonet.errors.DataError: it is no such table, or no image of the set is in the part.
        """
        parts = {file: part for file, (part,) in read_table(table, ["part"]).items()}
        kept = np.array(
            [parts.get(f"{self.name}/{path.as_posix()}") == name for path in self.folder.names]
        )
        if not kept.any():
            raise DataError(table, f"gives no image of {self.name} to the part {name!r}")
        groups = [group for group, keep in zip(self.groups, kept, strict=True) if keep]
        return replace(self, folder=self.folder.subset(kept), groups=groups)

    @property
    def lacks_groups(self) -> bool:
        """Whether the images look like frames of videos and nobody said which belong together."""
        return not self.grouping and look_like_frames(self.folder.names)

    def hash_images(self, watch: Watch) -> list[str]:
        """SHA-256 of every image file; empty where a file cannot be read."""
        hashes = []
        for done, path in enumerate(self.folder.paths, start=1):
            try:
                hashes.append(file_hash(path))
            except OSError:
                hashes.append("")
            watch(f"reading {self.name}", done, len(self.folder))
        return hashes


@dataclass(frozen=True, kw_only=True)
class ComparedModel:
    """Whose scores are measured.

    Attributes:
        name: what it is called.
        trained_on: names of the data that it was trained on; None where nobody said.
    """

    name: str
    trained_on: frozenset[str] | None = None

    def domain(self, data: DataSet) -> str:
        """``"in-domain"``, ``"unseen"`` or ``"not declared"``, by what was declared."""
        if self.trained_on is None:
            return "not declared"
        return IN_DOMAIN if data.name in self.trained_on else "unseen"


@dataclass(frozen=True, kw_only=True)
class Model(ComparedModel):
    """A detector that takes part.

    Attributes:
        source: the model as it was named.
        detector: gives the scores.
    """

    source: str
    detector: Detector

    @property
    def recorded(self) -> TrainingData | None:
        """What its file says that it was trained on."""
        return self.detector.info.training_data

    @cached_property
    def sha256(self) -> str:
        """Hash of what scores come from."""
        return self.detector.sha256


@dataclass(frozen=True, kw_only=True)
class Stored(ComparedModel):
    """Scores from files, such as out-of-fold scores of a cross-validation.

    Attributes:
        files: a CSV file for each data set, by the set's name.
    """

    files: Mapping[str, str]


@dataclass(frozen=True)
class Predictions:
    """Scores of a data set's images.

    Attributes:
        fake_probability: 0..1, NaN where there is none, shape ``(n,)``.
        threshold: from this score on an image is called a deepfake, shape ``(n,)``.
        failures: why an image has no score, by its index.
    """

    fake_probability: Floats
    threshold: Floats
    failures: Mapping[int, str]


def score_data(
    model: Model, data: DataSet, hashes: Sequence[str], cache: Path, watch: Watch
) -> Predictions:
    """Score a data set.

    Args:
        model: gives the scores.
        data: the images.
        hashes: the images' hashes, see `DataSet.hash_images`.
        cache: folder of the prediction cache.
        watch: is told of the progress.
    """

    def progress(done: int, total: int) -> None:
        watch(f"{model.name} on {data.name}", done, total)

    results = score_images(model, data.folder.paths, hashes, cache, progress)
    failures = {i: result for i, result in enumerate(results) if isinstance(result, str)}
    scores = [np.nan if isinstance(result, str) else result for result in results]
    return Predictions(
        np.array(scores), np.full(len(scores), model.detector.info.threshold), failures
    )


def score_images(
    model: Model,
    paths: Sequence[Path],
    hashes: Sequence[str],
    cache: Path,
    progress: Progress,
    perturbation: Perturbation | None = None,
) -> list[float | str]:
    """Score the images that the cache does not know yet, and take the others from it.

    Args:
        model: gives the scores.
        paths: the images.
        hashes: their hashes; an image without one is never cached.
        cache: folder of the prediction cache.
        progress: is told of the progress.
        perturbation: what is done to the decoded images before the model resizes them.

    Returns:
        For every image its score 0..1, or why there is none.

    Raises:
        mesonet.errors.ImageError: an image that is to be perturbed cannot be read.
    """
    with PredictionCache(cache, model.sha256, perturbation.name if perturbation else None) as known:
        results: list[float | str | None] = [known.get(image) for image in hashes]
        missing = [index for index, result in enumerate(results) if result is None]
        wanted = (paths[index] for index in missing)
        verdicts = model.detector.predict(_perturbed(wanted, perturbation))
        known_before = len(paths) - len(missing)
        progress(known_before, len(paths))
        for done, (index, verdict) in enumerate(zip(missing, verdicts, strict=True), start=1):
            if isinstance(verdict, Failure):
                results[index] = verdict.error
            else:
                results[index] = verdict.fake_probability
                if hashes[index]:
                    known.add(hashes[index], verdict.fake_probability)
            progress(known_before + done, len(paths))
    return [result for result in results if result is not None]


def _perturbed(paths: Iterable[Path], perturbation: Perturbation | None) -> Iterator[ImageSource]:
    if perturbation is None:
        return iter(paths)
    return (perturbation.apply(np.asarray(read_image(path))) for path in paths)


def read_predictions(stored: Stored, data: DataSet) -> Predictions:
    """Read a CSV file with the columns file, fake_probability and threshold.

    ``file`` is relative to the data folder. An image that could not be scored has an empty
    ``fake_probability``; every image has a row.

    Raises:
        ValueError: the file is no such table, or does not fit the data set.
    """
    table = Path(stored.files[data.name])
    rows: dict[str, tuple[float, float]] = {}
    for name, (score, threshold) in read_table(table, ["fake_probability", "threshold"]).items():
        try:
            rows[name] = (_number(score) if score else np.nan, _number(threshold))
        except ValueError:
            raise DataError(table, f"{name}: scores must be numbers of 0..1") from None
    names = [path.as_posix() for path in data.folder.names]
    missing = [name for name in names if name not in rows]
    if missing:
        raise DataError(
            table, f"{len(missing)} of {len(names)} images are not listed, such as {missing[0]}"
        )
    values = np.array([rows[name] for name in names])
    failures = {int(i): "no stored score" for i in np.flatnonzero(np.isnan(values[:, 0]))}
    return Predictions(values[:, 0], values[:, 1], failures)


def _number(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(f"{value} lies outside 0..1")
    return value
