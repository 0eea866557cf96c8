"""What fixed changes of the pictures do to a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesonet.errors import DataError
from mesonet.evaluation.benchmark.comparison import ROUNDS, interval
from mesonet.evaluation.benchmark.models import DataSet, Model, Predictions, Watch, score_images
from mesonet.evaluation.figures import Sample, measure_auc
from mesonet.evaluation.metrics import Bools, draw_groups
from mesonet.images.perturbations import FAMILIES


def spread_choice(is_fake: Bools, groups: Sequence[str], count: int) -> NDArray[np.intp]:
    """Choose images from as many groups as possible, half of them manipulated.

    Args:
        is_fake: truth, shape ``(n,)``.
        groups: group of each image, as many.
        count: how many images to choose; fewer where a class has fewer than half of that.

    Returns:
        Indices of the chosen images, ascending; always the same ones.
    """
    rng = np.random.default_rng(0)
    order = rng.permutation(len(is_fake))
    _, keys = np.unique(
        [f"{f:d}/{g}" for f, g in zip(is_fake, groups, strict=True)], return_inverse=True
    )
    turn = np.empty(len(is_fake), np.int64)  # the how-many-th of its group an image is
    seen = np.zeros(keys.max() + 1, np.int64)
    for index in order:
        turn[index] = seen[keys[index]]
        seen[keys[index]] += 1
    by_turn = order[np.argsort(turn[order], kind="stable")]
    fakes, reals = by_turn[is_fake[by_turn]], by_turn[~is_fake[by_turn]]
    return np.sort(np.concatenate([fakes[: max(1, count // 2)], reals[: max(1, count // 2)]]))


def sweep(
    model: Model,
    data: DataSet,
    chosen: NDArray[np.intp],
    hashes: Sequence[str],
    untouched: Predictions,
    cache: Path,
    watch: Watch,
) -> dict[str, Any]:
    """Score perturbed images and compare with the untouched ones.

    Args:
        model: gives the scores.
        data: where the images come from.
        chosen: indices of the images, all readable, of both classes.
        hashes: hashes of all images of the data set.
        untouched: the model's scores of all images of the data set.
        cache: folder of the prediction cache.
        watch: is told of the progress.

    Returns:
        Counts, the ``auc`` of the untouched images and, for each family, its ``area``: the mean
        of the AUC along the scale from one end to the other, joined by straight lines, levels
        equally far apart; and its ``levels`` with the ``auc``, the AUC ``lost`` with its
        interval over groups, and the share of verdicts that ``flipped``.

    Raises:
        mesonet.errors.ImageError: an image can no longer be read.
        mesonet.errors.DataError: the model gives no score for a perturbed image.
    """
    is_fake = data.folder.is_fake[chosen]
    groups = [data.groups[index] for index in chosen]
    threshold = model.detector.info.threshold
    paths = [data.folder.paths[index] for index in chosen]
    image_hashes = [hashes[index] for index in chosen]
    _, group_of_image = np.unique(groups, return_inverse=True)
    weights = draw_groups(is_fake, group_of_image, rounds=ROUNDS)[:, group_of_image]
    before = Sample(is_fake, untouched.fake_probability[chosen], threshold)
    auc, draws = float(measure_auc(before)[0]), measure_auc(before, weights)
    total = len(paths) * sum(len(family.perturbations) for family in FAMILIES.values())
    finished = 0

    def progress(done: int, _: int) -> None:
        watch(f"{model.name} on changed {data.name}", finished + done, total)

    families: dict[str, Any] = {}
    for family in FAMILIES.values():
        levels: list[dict[str, Any]] = []
        for step in family.scale:
            if step is None:
                levels.append({"level": None, "auc": auc})
                continue
            scores = score_images(model, paths, image_hashes, cache, progress, step)
            for path, score in zip(paths, scores, strict=True):
                if isinstance(score, str):
                    raise DataError(f"{path}, {family.name} {step.level}", score)
            finished += len(paths)
            after = Sample(is_fake, np.array(scores, np.float64), threshold)
            now = float(measure_auc(after)[0])
            levels.append(
                {
                    "level": step.level,
                    "auc": now,
                    "lost": interval(auc - now, draws - measure_auc(after, weights)),
                    "flipped": float(np.mean(after.called_fake != before.called_fake)),
                }
            )
        aucs = np.array([level["auc"] for level in levels])
        area = float(np.mean((aucs[1:] + aucs[:-1]) / 2))
        families[family.name] = {"unit": family.unit, "area": area, "levels": levels}
    return {
        "images": len(paths),
        "groups": int(group_of_image.max()) + 1 if data.grouping else None,
        "auc": auc,
        "families": families,
    }
