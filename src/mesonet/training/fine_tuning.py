"""Training only the later part of a network whose first part knows enough already."""

from mesonet.backend import keras
from mesonet.errors import ArgumentError

_MOMENTUM = 0.97  # statistics follow within a hundred steps, as small data sets need


def freeze(model: keras.Model, until: str) -> None:
    """Keep the first layers of a network as they are.

    The first layers of an ImageNet network, which cost most of the time, are good as they are.
    Batch normalisation in the later ones goes on learning, with a momentum of 0.97. Kept, it would
    multiply gradients: some channels of these networks vary so little that it enlarges them up to
    75 times, and the usual learning rates then ruin the network within a few steps.

    Args:
        model: a network with trained weights, not compiled yet.
        until: the layers before the first one whose name begins so are kept.

    Raises:
        ValueError: no layer's name begins so.
    """
    names = [layer.name for layer in model.layers]
    first = next((i for i, name in enumerate(names) if name.startswith(until)), None)
    if first is None:
        raise ArgumentError(f"no layer of {model.name} begins with {until!r}")
    for layer in model.layers[:first]:
        layer.trainable = False
    for layer in model.layers[first:]:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _MOMENTUM
