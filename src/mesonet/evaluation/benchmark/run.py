"""Models against data sets: what `mesonet benchmark` writes as JSON, in plain types."""

import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesonet import __version__
from mesonet.class_names import real_class
from mesonet.datasets.class_folders import ClassFolders
from mesonet.detector import DEEPFAKE, REAL
from mesonet.errors import DataError
from mesonet.evaluation.benchmark.comparison import CONFIDENCE, ROUNDS, ModelScores, compare
from mesonet.evaluation.benchmark.models import (
    IN_DOMAIN,
    ComparedModel,
    DataSet,
    Model,
    Predictions,
    Stored,
    Watch,
    read_predictions,
    score_data,
)
from mesonet.evaluation.benchmark.robustness import spread_choice, sweep
from mesonet.evaluation.figures import CALIBRATION_BINS
from mesonet.files import file_hash

SCHEMA_VERSION = 1
"""Grows when a reader of the JSON file has to change."""


def run_benchmark(
    models: Sequence[ComparedModel],
    data_sets: Sequence[DataSet],
    *,
    cache: Path,
    watch: Watch,
    robustness: int = 0,
) -> dict[str, Any]:
    """Score, measure and compare.

    An image that one model could not score is left out for all of them.

    Args:
        models: models and stored predictions, with different names.
        data_sets: labelled folders, with different names.
        cache: folder of the prediction cache.
        watch: is told of the progress.
        robustness: how many images of each set are also scored perturbed; 0 for none.

    Returns:
        The content of the JSON file.

    Raises:
        ValueError: stored predictions do not fit their data set.
        mesonet.errors.DataError: no image of a class could be scored.
    """
    parts = [
        _benchmark_set(data, models, cache=cache, watch=watch, robustness=robustness)
        for data in data_sets
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "mesonet": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": {
            "bootstrap_rounds": ROUNDS,
            "confidence": CONFIDENCE,
            "calibration_bins": CALIBRATION_BINS,
            "robustness_images": robustness,
        },
        "models": [_describe_model(model) for model in models],
        "data": [part["data"] for part in parts],
        "results": [entry for part in parts for entry in part["results"]],
        "differences": [entry for part in parts for entry in part["differences"]],
        "robustness": [entry for part in parts for entry in part["robustness"]],
    }


def _benchmark_set(
    data: DataSet, models: Sequence[ComparedModel], *, cache: Path, watch: Watch, robustness: int
) -> dict[str, Any]:
    hashes: Sequence[str] = ()
    if any(isinstance(model, Model) for model in models):
        hashes = data.hash_images(watch)
    predictions: dict[str, Predictions] = {}
    for model in models:
        if isinstance(model, Model):
            predictions[model.name] = score_data(model, data, hashes, cache, watch)
        elif isinstance(model, Stored) and data.name in model.files:
            predictions[model.name] = read_predictions(model, data)
    here = [model for model in models if model.name in predictions]
    kept = _scored_by_all(data, predictions)
    is_fake, groups = data.folder.is_fake[kept], [data.groups[index] for index in kept]
    measured, paired = compare(
        is_fake,
        groups,
        [_scores(model, predictions[model.name], kept) for model in here],
        by_group=data.grouping is not None,
        progress=lambda done, total: watch(f"intervals on {data.name}", done, total),
    )
    headings = {
        model.name: {
            "model": model.name,
            "data": data.name,
            "domain": _domain(model, data, hashes),
        }
        for model in here
    }
    swept = []
    if robustness:
        chosen = kept[spread_choice(is_fake, groups, robustness)]
        swept = [
            headings[model.name]
            | sweep(model, data, chosen, hashes, predictions[model.name], cache, watch)
            for model in here
            if isinstance(model, Model)
        ]
    return {
        "data": _describe_data(data, kept, predictions),
        "results": [headings[entry["model"]] | entry for entry in measured],
        "differences": [{"data": data.name} | pair for pair in paired],
        "robustness": swept,
    }


def _domain(model: ComparedModel, data: DataSet, hashes: Sequence[str]) -> str:
    """Whether a model has seen such data, by what was declared and by what its file says."""
    recorded = model.recorded if isinstance(model, Model) else None
    if recorded is not None:
        overlap = recorded.overlap(hashes)
        if overlap.found:
            warnings.warn(overlap.sentence(model.name, data.name), UserWarning, stacklevel=2)
            return IN_DOMAIN
        if model.trained_on is None and data.name in recorded.sets:
            return IN_DOMAIN
    return model.domain(data)


def _scored_by_all(data: DataSet, predictions: Mapping[str, Predictions]) -> NDArray[np.intp]:
    known = np.ones(len(data.folder), bool)
    for prediction in predictions.values():
        known &= ~np.isnan(prediction.fake_probability)
    for fake in (False, True):
        if not np.any(known & (data.folder.is_fake == fake)):
            kind = "manipulated" if fake else "real"
            raise DataError(data.source, f"no {kind} image could be scored")
    return np.flatnonzero(known)


def _scores(model: ComparedModel, prediction: Predictions, kept: NDArray[np.intp]) -> ModelScores:
    return ModelScores(
        model.name,
        prediction.fake_probability[kept],
        prediction.threshold[kept],
        model.detector.info.band if isinstance(model, Model) else None,
    )


def _describe_data(
    data: DataSet, kept: NDArray[np.intp], predictions: Mapping[str, Predictions]
) -> dict[str, Any]:
    fakes = int(data.folder.is_fake[kept].sum())
    reasons = {
        index: reason
        for prediction in predictions.values()
        for index, reason in prediction.failures.items()
    }
    return {
        "name": data.name,
        "folder": data.source,
        "grouping": data.grouping,
        "lacks_groups": data.lacks_groups,
        "images": len(kept),
        REAL: len(kept) - fakes,
        DEEPFAKE: fakes,
        "groups": len({data.groups[index] for index in kept}) if data.grouping else None,
        "classes": _class_folders(data.folder),
        "unreadable": [
            {"file": data.folder.names[index].as_posix(), "error": reason}
            for index, reason in sorted(reasons.items())
        ]
        + [
            {
                "file": Path(problem.path).relative_to(data.source).as_posix(),
                "error": problem.reason,
            }
            for problem in data.folder.unlisted
        ],
    }


def _class_folders(folder: ClassFolders) -> dict[str, str]:
    real = real_class(folder.class_names)
    return {
        REAL if index == real else DEEPFAKE: name for index, name in enumerate(folder.class_names)
    }


def _describe_model(model: ComparedModel) -> dict[str, Any]:
    trained_on = model.trained_on
    described: dict[str, Any] = {
        "name": model.name,
        "trained_on": None if trained_on is None else sorted(trained_on),
    }
    if isinstance(model, Model):
        info = model.detector.info
        return described | {
            "source": model.source,
            "recorded": list(model.recorded.sets) if model.recorded else None,
            "sha256": model.sha256,
            "architecture": info.architecture,
            "threshold": info.threshold,
            "band": None if info.band is None else list(info.band),
        }
    if isinstance(model, Stored):
        described["predictions"] = {
            name: {"file": file, "sha256": file_hash(file)} for name, file in model.files.items()
        }
    return described
