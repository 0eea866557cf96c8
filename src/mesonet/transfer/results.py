"""What a cross-validation found, as JSON and as pictures."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mesonet.evaluation.figures import Sample, measure_auc
from mesonet.evaluation.metrics import Bools, Floats, auc, draw_groups, group_means, measure
from mesonet.files import write_text
from mesonet.transfer.crossval import Candidate, Choice, Fold, group_names
from mesonet.transfer.heads import CurvePoint, describe
from mesonet.transfer.store import FeatureDataset

_TAILS = (0.025, 0.975)


def summarise(folds: Sequence[Fold], candidates: Sequence[Candidate]) -> dict[str, Any]:
    """Put the figures and the predictions of a cross-validation together.

    Manipulated is the positive class. An image is called by the threshold of its own fold.
    Intervals hold 95 % and come from drawing whole groups; with several repeats all
    predictions of a group are drawn together.

    Returns:
        Plain types, ready for JSON: ``candidates``, ``folds`` (what was chosen, and accuracy,
        AUC and F1 of each), ``mean`` and ``deviation`` over the folds, ``image`` and ``group``
        (all out-of-fold predictions together), ``views`` where images have several, and the
        ``predictions`` themselves.
    """
    dataset = candidates[0].dataset
    per_fold = [_measure_fold(fold, dataset, candidates) for fold in folds]
    measured = {
        name: np.array([row[name] for row in per_fold if row[name] is not None], float)
        for name in ("accuracy", "auc", "f1")
    }
    truth = np.concatenate([dataset.is_fake[fold.images] for fold in folds])
    scores = np.concatenate([fold.fake_probability for fold in folds])
    thresholds = np.concatenate(
        [np.full(len(fold.images), fold.choice.threshold) for fold in folds]
    )
    keys = [group_names(dataset)[i] for fold in folds for i in fold.images]
    result = {
        "images": len(dataset),
        "groups": len(set(keys)) if dataset.groups else None,
        "class_names": list(dataset.class_names),
        "candidates": [_describe(candidate) for candidate in candidates],
        "folds": per_fold,
        "mean": {name: float(values.mean()) for name, values in measured.items() if len(values)},
        "deviation": {
            name: float(values.std()) for name, values in measured.items() if len(values)
        },
        "image": _pooled(truth, scores, thresholds, keys),
    }
    if dataset.groups:
        per_repeat = [
            f"{fold.repeat}/{group_names(dataset)[i]}" for fold in folds for i in fold.images
        ]
        _, group_scores = group_means(truth, scores, per_repeat)
        group_truth, group_margins = group_means(truth, scores - thresholds, per_repeat)
        result["group"] = measure(group_truth, group_margins, 0).to_dict() | {
            "auc": auc(group_truth, group_scores)
        }
    if any(candidate.dataset.recipe.augmented for candidate in candidates):
        of_views = np.concatenate([fold.views_fake_probability for fold in folds])
        result["views"] = {
            "accuracy": float(np.mean(truth == (of_views >= thresholds))),
            "auc": auc(truth, of_views),
        }
    result["predictions"] = [
        {
            "name": dataset.names[image],
            "group": group_names(dataset)[image],
            "label": dataset.class_names[dataset.labels[image]],
            "fake_probability": float(score),
            "repeat": fold.repeat,
            "fold": fold.number,
        }
        for fold in folds
        for image, score in zip(fold.images, fold.fake_probability, strict=True)
    ]
    return result


def describe_choice(choice: Choice, candidates: Sequence[Candidate]) -> dict[str, Any]:
    """What was chosen, from which AUCs, ready for JSON."""
    return {
        "chosen": candidates.index(choice.candidate),
        "threshold": choice.threshold,
        "inner_aucs": list(choice.aucs),
    }


def write_results(folder: Path, summary: dict[str, Any], folds: Sequence[Fold]) -> None:
    """Write ``crossval.json``, ``confusion_matrix.png`` and, if heads have any, ``curves.png``."""
    plot_confusion(summary["image"]["confusion"]).savefig(folder / "confusion_matrix.png", dpi=120)
    curves = [fold.fitted.curve for fold in folds if fold.fitted.curve]
    if curves:
        plot_curves(curves).savefig(folder / "curves.png", dpi=120)
    write_text(folder / "crossval.json", json.dumps(summary, indent=1))


def plot_confusion(confusion: Sequence[Sequence[int]]) -> Figure:
    """Draw a confusion matrix.

    Args:
        confusion: rows are true real and true deepfake, columns called real and called
            deepfake.
    """
    counts = np.asarray(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(4.6, 4), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in range(2):
        for column in range(2):
            axes.text(
                column,
                row,
                f"{counts[row, column]}\n{shares[row, column]:.1%}",
                ha="center",
                va="center",
                color="white" if shares[row, column] > 0.5 else "black",
            )
    names = ["real", "deepfake"]
    axes.set(
        xticks=(0, 1), xticklabels=names, xlabel="called",
        yticks=(0, 1), yticklabels=names, ylabel="true",
        title="Images scored by heads that had not seen them",
    )  # fmt: skip
    figure.colorbar(shown, label="share of the class", format=PercentFormatter(1))
    return figure


def plot_curves(curves: Sequence[Sequence[CurvePoint]]) -> Figure:
    """Draw training and validation accuracy against the batches, a pair of lines for each fold."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for curve in curves:
        batches = [point.step for point in curve]
        for values, color in (
            ([point.accuracy for point in curve], "tab:blue"),
            ([point.validation_accuracy for point in curve], "tab:orange"),
        ):
            axes.plot(batches, values, color=color, alpha=0.6, linewidth=1)
    axes.plot([], [], color="tab:blue", label="training")
    axes.plot([], [], color="tab:orange", label="held-out fold")
    axes.set(xlabel="batch", ylabel="accuracy", title="Accuracy while training, fold by fold")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def _measure_fold(
    fold: Fold, dataset: FeatureDataset, candidates: Sequence[Candidate]
) -> dict[str, Any]:
    truth = dataset.is_fake[fold.images]
    metrics = measure(truth, fold.fake_probability, fold.choice.threshold)
    called = fold.fake_probability >= fold.choice.threshold
    row = {"repeat": fold.repeat, "fold": fold.number, **describe_choice(fold.choice, candidates)}
    row |= metrics.to_dict() | {"f1": _f1(truth, called)}
    if fold.fitted.curve:
        row["curve"] = [asdict(point) for point in fold.fitted.curve]
    return row


def _pooled(
    truth: Bools, scores: Floats, thresholds: Floats, groups: Sequence[str]
) -> dict[str, Any]:
    """Figures of all out-of-fold predictions together, with intervals."""
    called = scores >= thresholds
    _, group_of_image = np.unique(groups, return_inverse=True)
    draws = draw_groups(truth, group_of_image)[:, group_of_image]
    drawn = {
        "accuracy": draws @ (called == truth) / draws.sum(axis=1),
        "auc": measure_auc(Sample(truth, scores, thresholds), draws),
        "f1": _f1(truth, called, draws),
    }
    return measure(truth, scores - thresholds, 0).to_dict() | {
        "auc": auc(truth, scores),
        "f1": float(_f1(truth, called)),
        "intervals": {name: np.quantile(values, _TAILS).tolist() for name, values in drawn.items()},
    }


def _f1(truth: Bools, called: Bools, draws: Any = 1) -> Any:
    """F1 of the manipulated class, 0 where there is none; of each draw, or of every image once."""
    draws = np.broadcast_to(draws, (*np.shape(draws)[:-1], len(truth)))
    right = draws @ (truth & called)
    claimed = draws @ truth.astype(int) + draws @ called.astype(int)
    return 2 * right / np.maximum(claimed, 1)


def _describe(candidate: Candidate) -> dict[str, Any]:
    dataset = candidate.dataset
    return {
        **describe(candidate.head),
        "store": str(dataset.folder),
        "backbone": dataset.recipe.backbone,
        "weights": dataset.recipe.weights,
        "size": dataset.recipe.preprocessing.size,
        "pooling": dataset.recipe.pooling,
        "views": dataset.recipe.views,
    }
