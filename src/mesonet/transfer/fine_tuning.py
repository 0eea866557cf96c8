"""Training only the later part of a network whose first part knows enough already."""

from mesonet.backend import keras


def freeze(model: keras.Model, until: str | None = None) -> None:
    """Keep the first layers of a network as they are, and all of its batch statistics.

    A few thousand images are too few to estimate batch statistics anew, and the first layers of
    an ImageNet network, which cost most of the time, are good as they are.

    Args:
        model: a network with trained weights, not compiled yet.
        until: the layers before the first one whose name begins so are kept; by default only
            the batch statistics are.

    Raises:
        ValueError: no layer's name begins so.
    """
    names = [layer.name for layer in model.layers]
    starts = [i for i, name in enumerate(names) if until and name.startswith(until)]
    if until and not starts:
        raise ValueError(f"no layer of {model.name} begins with {until!r}")
    for index, layer in enumerate(model.layers):
        kept = bool(starts) and index < starts[0]
        if kept or isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
