"""Scores of a detector on a data folder."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import Grouping, group_keys
from mesonet.detector import DEEPFAKE, REAL, Detector, Failure
from mesonet.errors import DataError
from mesonet.evaluation.metrics import Metrics, group_means, measure
from mesonet.progress import Progress
from mesonet.training_data import Overlap, hash_images


@dataclass(frozen=True, slots=True)
class Scores:
    """What a detector says of the readable images of a data folder.

    Attributes:
        names: paths relative to the data folder.
        is_fake: truth, shape ``(n,)``.
        fake_probability: scores 0..1, shape ``(n,)``.
        unreadable: images that could not be scored, and folders that could not be searched.
    """

    names: Sequence[PurePath]
    is_fake: NDArray[np.bool_]
    fake_probability: NDArray[np.float64]
    unreadable: Sequence[Failure] = ()

    def image_metrics(self, threshold: float) -> Metrics:
        """Compare image by image."""
        return measure(self.is_fake, self.fake_probability, threshold)

    def group_metrics(self, threshold: float, grouping: Grouping) -> Metrics:
        """Compare group by group, by the mean score of its images."""
        groups = group_keys(self.names, grouping)
        return measure(*group_means(self.is_fake, self.fake_probability, groups), threshold)


def score_folder(
    detector: Detector,
    data: ClassFolders,
    *,
    batch_size: int = 8,
    progress: Progress | None = None,
) -> Scores:
    """Score every image of a data folder; unreadable ones are set aside.

    Raises:
        DataError: no image of a class is readable.
    """
    names, is_fake, scores = [], [], []
    unreadable = [Failure(problem.path, problem.reason) for problem in data.unlisted]
    results = detector.predict(data.paths, batch_size=batch_size)
    for done, (name, fake, result) in enumerate(
        zip(data.names, data.is_fake, results, strict=True), start=1
    ):
        if isinstance(result, Failure):
            unreadable.append(result)
        else:
            names.append(name)
            is_fake.append(fake)
            scores.append(result.fake_probability)
        if progress:
            progress(done, len(data))
    for fake in set(data.is_fake.tolist()).difference(is_fake):
        raise DataError(data.root, f"no {DEEPFAKE if fake else REAL} image can be read")
    return Scores(names, np.array(is_fake), np.array(scores), unreadable)


def warn_of_training_images(detector: Detector, data: ClassFolders) -> Overlap | None:
    """Compare images with those that a detector says it was trained on, and warn of them.

    Returns:
        What was found; None where the detector does not say it.
    """
    known = detector.info.training_data
    if known is None or not known.hashes:
        return None
    overlap = known.overlap(hash_images(data.paths))
    if overlap.found:
        message = overlap.sentence(detector.name, data.root)
        warnings.warn(message, UserWarning, stacklevel=2)
    return overlap
