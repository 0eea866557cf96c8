"""Nested cross-validation: whole groups are held out, and nothing is chosen where it is judged.

Every outer fold is scored by a head that knows nothing of it: the head, its factors, the features
and the threshold are chosen by inner folds of the other images, and every fit starts from fresh
weights. What is measured is therefore the whole procedure, choice included.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from mesonet.class_names import real_class
from mesonet.errors import ArgumentError, DataError, StoreError
from mesonet.evaluation.metrics import auc, choose_threshold
from mesonet.model_file import save_model
from mesonet.model_info import ModelInfo
from mesonet.progress import Progress
from mesonet.transfer.heads import FittedHead, Head
from mesonet.transfer.store import FeatureDataset

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A head on the features of one store."""

    dataset: FeatureDataset
    head: Head

    def fit(self, train: Mask, seed: int, validation: Mask | None = None) -> FittedHead:
        """Fit to all views of the images of ``train``."""
        part = self.dataset.subset(train)
        labels = np.repeat(part.labels, part.recipe.views)
        watched = None
        if validation is not None:
            held_out = self.dataset.subset(validation)
            watched = held_out.rows(), held_out.labels
        return self.head.fit(part.rows(augmented=True), labels, seed=seed, validation=watched)

    def score(self, fitted: FittedHead, images: Mask) -> NDArray[np.float64]:
        """Fake probabilities of the images as they are."""
        return _fake(self.dataset, fitted.predict_proba(self.dataset.subset(images).rows()))

    def score_views(self, fitted: FittedHead, images: Mask) -> NDArray[np.float64]:
        """Fake probabilities of the images, averaged over their views."""
        rows = self.dataset.subset(images).rows(augmented=True)
        views = fitted.predict_proba(rows).reshape(-1, self.dataset.recipe.views)
        return _fake(self.dataset, views.mean(axis=1))


@dataclass(frozen=True, slots=True)
class Choice:
    """What inner folds chose.

    Attributes:
        candidate: the one of the largest AUC.
        threshold: fake probability from which an image is called a deepfake; chosen on the
            scores of images that their heads had not seen.
        aucs: of every candidate, over all inner folds.
    """

    candidate: Candidate
    threshold: float
    aucs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """One held-out part and what was said of it.

    Attributes:
        repeat: which division of all images, from 0.
        number: which part of that, from 0.
        choice: made without the held-out images.
        fitted: the chosen head, fitted to all other images.
        images: positions of the held-out images.
        fake_probability: theirs, shape ``(n,)``.
        views_fake_probability: averaged over all views of each image, shape ``(n,)``.
    """

    repeat: int
    number: int
    choice: Choice
    fitted: FittedHead
    images: NDArray[np.intp]
    fake_probability: NDArray[np.float64]
    views_fake_probability: NDArray[np.float64]


def cross_validate(
    candidates: Sequence[Candidate],
    *,
    folds: int = 5,
    inner_folds: int = 4,
    repeats: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Fold]:
    """Judge the choice among candidates on groups that had no part in it.

    Args:
        candidates: heads on stores of the same images.
        folds: held-out parts, each of about the same share of every class.
        inner_folds: parts of the remaining images among which is chosen.
        repeats: how often all images are divided anew.
        seed: of the divisions and the heads.
        progress: called with how many fits are done and how many there are.

    Raises:
        ValueError: the stores are not of the same images, or there are too few groups.
    """
    dataset = _common(candidates)
    steps = _steps(progress, repeats * folds * (1 + inner_folds * len(candidates)))
    results = []
    for repeat in range(repeats):
        everything = np.ones(len(dataset), bool)
        for number, held_out in enumerate(_divide(dataset, everything, folds, seed + repeat)):
            choice = choose(
                candidates, ~held_out, folds=inner_folds, seed=seed + repeat, done=steps
            )
            candidate = choice.candidate
            fitted = candidate.fit(~held_out, seed + repeat, held_out)
            steps()
            results.append(
                Fold(
                    repeat=repeat,
                    number=number,
                    choice=choice,
                    fitted=fitted,
                    images=np.flatnonzero(held_out),
                    fake_probability=candidate.score(fitted, held_out),
                    views_fake_probability=candidate.score_views(fitted, held_out),
                )
            )
    return results


def choose(
    candidates: Sequence[Candidate],
    images: Mask,
    *,
    folds: int = 4,
    seed: int = 0,
    done: Callable[[], None] = lambda: None,
) -> Choice:
    """Choose a candidate and its threshold by folds of some images, the others left alone.

    Args:
        candidates: heads on stores of the same images.
        images: mask of the images to use, shape ``(n,)``.
        folds: parts that are scored by heads fitted to the others.
        seed: of the division and the heads.
        done: called after every fit.

    Raises:
        ValueError: there are too few groups.
    """
    dataset = _common(candidates)
    parts = list(_divide(dataset, images, folds, seed))
    truth = dataset.is_fake[images]
    aucs, scores = [], []
    for candidate in candidates:
        out_of_fold = np.zeros(len(dataset))
        for part in parts:
            out_of_fold[part] = candidate.score(candidate.fit(images & ~part, seed), part)
            done()
        scores.append(out_of_fold[images])
        aucs.append(auc(truth, scores[-1]))
    best = int(np.argmax(aucs))
    threshold = float(np.clip(choose_threshold(truth, scores[best]), 0, 1))
    return Choice(candidates[best], threshold, tuple(aucs))


def fit_on_everything(
    candidates: Sequence[Candidate],
    *,
    folds: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Choice, FittedHead]:
    """Do with all images what `cross_validate` judged: choose, then fit the choice to all.

    Args:
        candidates: heads on stores of the same images.
        folds: parts of the images among which is chosen.
        seed: of the division and the heads.
        progress: called with how many fits are done and how many there are.

    Raises:
        ValueError: as `cross_validate`.
    """
    everything = np.ones(len(_common(candidates)), bool)
    steps = _steps(progress, 1 + folds * len(candidates))
    choice = choose(candidates, everything, folds=folds, seed=seed, done=steps)
    fitted = choice.candidate.fit(everything, seed)
    steps()
    return choice, fitted


def save_detector(choice: Choice, fitted: FittedHead, path: str | os.PathLike[str]) -> None:
    """Write backbone, pooling and head as one model that is used like any other."""
    dataset = choice.candidate.dataset
    model = fitted.to_keras(dataset.load_extractor())
    info = ModelInfo(
        preprocessing=dataset.recipe.preprocessing,
        class_names=dataset.class_names,
        threshold=choice.threshold,
        training_data=dataset.training_data,
    )
    save_model(model, path, info)


def group_names(dataset: FeatureDataset) -> list[str]:
    """Group of each image; without groups every image is its own."""
    return dataset.names if dataset.groups is None else dataset.groups


def _divide(dataset: FeatureDataset, images: Mask, folds: int, seed: int) -> Iterator[Mask]:
    """Masks of parts of ``images``, stratified by class, no group in two of them.

    Raises:
        ValueError: a class has fewer groups than there are parts.
    """
    chosen = np.flatnonzero(images)
    labels = dataset.labels[chosen]
    keys = np.array(group_names(dataset))[chosen]
    for label, name in enumerate(dataset.class_names):
        groups = len(np.unique(keys[labels == label]))
        if groups < folds:
            raise DataError(
                "",
                f"{folds} folds need at least {folds} groups of each class; "
                f"there are {groups} of {name}",
            )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for _, part in splitter.split(chosen, labels, keys):
        mask = np.zeros(len(dataset), bool)
        mask[chosen[part]] = True
        yield mask


def _common(candidates: Sequence[Candidate]) -> FeatureDataset:
    """The first of the stores, after a look at the others.

    Raises:
        ValueError: there are none, or they are of different images.
    """
    if not candidates:
        raise ArgumentError("there is nothing to choose from")
    first = candidates[0].dataset
    for candidate in candidates[1:]:
        other = candidate.dataset
        if (other.names, other.groups, other.class_names) != (
            first.names,
            first.groups,
            first.class_names,
        ):
            raise StoreError(
                "", f"{first.folder} and {other.folder} hold different images or groups"
            )
    return first


def _fake(dataset: FeatureDataset, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 - scores if real_class(dataset.class_names) == 1 else scores


def _steps(progress: Progress | None, total: int) -> Callable[[], None]:
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    return step
