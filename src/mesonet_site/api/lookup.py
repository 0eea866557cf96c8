"""The model and the layers that a request names, or the right error."""

from typing import Any
from uuid import UUID

from rest_framework.exceptions import NotFound

from classifiers.models import MLModel
from mesonet.detector import Detector
from mesonet.weights import best_ready
from mesonet_site.api import conf
from mesonet_site.api.problems import Conflict


def find_model(wanted: str | UUID) -> MLModel:
    """The model of an id or a name.

    Raises:
        NotFound: there is none.
    """
    try:
        lookup: dict[str, Any] = {"pk": UUID(str(wanted))}
    except ValueError:
        lookup = {"model_name": wanted}
    model = MLModel.objects.filter(**lookup).first()
    if model is None:
        raise NotFound(f"There is no model {str(wanted)!r}.")
    return model


def default_model() -> MLModel | None:
    """The model that is used where none is named, be it ready or not; None where there is none.

    It is ``DEFAULT_MODEL``, or else the best released detector whose weights are here, or else the
    library's default, or else the oldest. None answers for one that is still being loaded.
    """
    if conf.DEFAULT_MODEL:
        return MLModel.objects.filter(model_name=conf.DEFAULT_MODEL).first()
    best = MLModel.objects.filter(model_name=best_ready()).first()
    if best and (best.usable or best.state != MLModel.State.FAILED):
        return best
    return MLModel.objects.filter(model_name=Detector.default).first() or MLModel.objects.first()


def check_usable(model: MLModel) -> MLModel:
    """Give back a model that a worker has loaded.

    Raises:
        Conflict: it has not been loaded yet, or cannot be.
    """
    if not model.usable:
        reason = model.message or "It has not been loaded yet."
        raise Conflict(f"The model {model.model_name!r} cannot be used. {reason}")
    return model


def check_layers(model: MLModel, layers: list[int]) -> None:
    """Refuse layers that a model has not.

    Raises:
        NotFound: there is no such layer.
    """
    count = len(model.conv_layers)
    wrong = [index for index in layers if index >= count]
    if wrong:
        raise NotFound(
            f"There is no layer {wrong[0]}: the model has {count} convolutional layers, from 0."
        )
