"""Measuring a model in the background."""

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from django.dispatch import receiver
from django_tasks import TaskContext, task
from numpy.typing import NDArray

from classifiers.loading import try_loading
from classifiers.models import MLModel
from classifiers.signals import measurement_wanted
from classifiers.utils import clr_to_tabular, dataset
from mesonet.class_names import real_class
from mesonet.detector import Detector
from mesonet.errors import DataError, ModelFileError

MAX_ATTEMPTS = 5
"""How often a measurement is begun before it counts as failed."""

_SECONDS_BETWEEN_REPORTS = 0.5
_POINTS = 100

logger = logging.getLogger(__name__)


class _OvertakenError(Exception):
    """The model was deleted, or has got another file, while it was measured."""


@task(takes_context=True)
def measure(context: TaskContext, model_id: str) -> None:
    """Fill in accuracy, classification report and convolutional layers of a model.

    It may be broken off at any point and run again: the figures are written together, and only
    while the model still has the file they belong to.
    """
    model = MLModel.objects.filter(pk=model_id).first()
    if model is None:
        return
    row = MLModel.objects.filter(pk=model_id, model_hash=model.model_hash)
    failed = MLModel.State.FAILED
    if context.attempt > MAX_ATTEMPTS:
        row.update(state=failed, message=f"Measuring it broke off {MAX_ATTEMPTS} times.")
        return
    row.update(state=MLModel.State.RUNNING, progress=0, message="")

    def report(percent: int) -> None:
        if not row.update(progress=percent):
            raise _OvertakenError

    try:
        if not model.usable:
            try_loading(model.model_hash, model.model_file)
        detector = model.get_detector()
        row.update(conv_layers=_conv_layers(detector), info=detector.info.to_dict())
        figures = _figures(detector, report)
    except _OvertakenError:
        logger.info("model %s changed while it was measured", model_id)
    except ModelFileError as error:
        row.update(state=failed, message=f"The model file {error.reason}."[:500])
    except Exception:
        row.update(state=failed, message="Measuring it failed; the worker's log says why.")
        raise
    else:
        row.update(state=MLModel.State.DONE, progress=100, **figures)


@receiver(measurement_wanted)
def _enqueue(model_id: str, **_: Any) -> None:
    measure.enqueue(model_id)


def _conv_layers(detector: Detector) -> list[Any]:
    if not detector.has_network:
        return []
    from mesonet.model import conv_layers

    return [
        [layer.output.shape[-1], list(layer.kernel_size)] for layer in conv_layers(detector.network)
    ]


def _figures(detector: Detector, report: Callable[[int], None]) -> dict[str, Any]:
    """Accuracy and report on the dataset, or the reason why there are none."""
    from mesonet.model import get_classification_report

    try:
        data = dataset()
    except DataError as error:
        return {"message": f"Not measured: {error}."[:500]}
    scores = np.zeros(len(data))
    fake = np.zeros(len(data), bool)
    readable = np.ones(len(data), bool)
    reported = time.monotonic()
    for index, verdict in enumerate(detector.predict(data.paths)):
        if verdict.ok:
            scores[index], fake[index] = verdict.fake_probability, verdict.called_fake
        else:
            readable[index] = False
        if time.monotonic() - reported > _SECONDS_BETWEEN_REPORTS:
            reported = time.monotonic()
            report(100 * (index + 1) // len(data))
    if not readable.any():
        return {"message": "Not measured: no image of the dataset could be scored."}
    real = real_class(data.class_names)
    predicted = np.where(fake, 1 - real, real)[readable]
    true = data.labels[readable]
    left_out = int(len(data) - readable.sum())
    return {
        "accuracy": round(100 * float(np.mean(predicted == true)), 2),
        "clr": clr_to_tabular(get_classification_report(true, predicted, output_dict=True)),
        "curves": _curves(true != real, scores[readable], detector.info.threshold),
        "message": f"{left_out} images could not be scored and were left out." if left_out else "",
    }


def _curves(
    is_fake: NDArray[np.bool_], scores: NDArray[np.float64], threshold: float
) -> dict[str, Any] | None:
    """What plots of the scores are drawn from; None where images of a class are missing."""
    from mesonet.evaluation import curves, figures, metrics

    if is_fake.all() or not is_fake.any():
        return None
    sample = figures.Sample(is_fake, scores, threshold)
    measured = metrics.measure(is_fake, scores, threshold)
    return {
        "confusion": [list(row) for row in measured.confusion],
        "auc": measured.auc,
        "roc": {name: _thinned(values) for name, values in curves.roc(sample).items()},
        "reliability": curves.reliability(sample),
    }


def _thinned(values: list[float]) -> list[float]:
    """At most `_POINTS` of a curve's values, with both ends."""
    chosen = np.linspace(0, len(values) - 1, min(_POINTS, len(values))).round().astype(int)
    return [values[index] for index in chosen]
