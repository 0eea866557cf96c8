"""A backbone with pooling: the network whose outputs are kept as features."""

from typing import Literal, get_args

from mesonet.backend import keras
from mesonet.errors import ArgumentError
from mesonet.runtime import Runtime, keras_runtime

Pooling = Literal["none", "mean", "layers"]


def make_extractor(backbone: keras.Model, pooling: Pooling) -> keras.Model:
    """Put pooling behind a backbone.

    Args:
        backbone: a model from ``(n, size, size, 3)`` to ``(n, height, width, channels)``.
        pooling: ``"none"`` keeps the whole feature map; ``"mean"`` averages it over the
            image; ``"layers"`` takes mean and standard deviation over the image of the last
            layer of every resolution, from fine traces to whole faces.

    Returns:
        A model of plain layers that shares those of the backbone. Its output has shape
        ``(n, height, width, channels)`` without pooling, else ``(n, features)``.

    Raises:
        ValueError: an unknown pooling.
    """
    if pooling not in get_args(Pooling):
        raise ArgumentError(
            f"pooling must be one of {', '.join(get_args(Pooling))}, not {pooling!r}"
        )
    if pooling == "none":
        return backbone
    if pooling == "mean":
        output = keras.layers.GlobalAveragePooling2D()(backbone.output)
        return keras.Model(backbone.input, output, name=backbone.name)
    statistics = []
    for maps in _stages(backbone):
        statistics += [keras.layers.GlobalAveragePooling2D()(maps), _standard_deviation(maps)]
    output = keras.layers.Concatenate()(statistics)
    return keras.Model(backbone.input, output, name=backbone.name)


def feature_runtime(extractor: keras.Model) -> Runtime:
    """Run an extractor fast: prepared images in, features of its output's shape out."""
    shape = extractor.output_shape[1:]
    row = keras.layers.Reshape((1, *shape))(extractor.output)  # a runtime gives the first of a row
    return keras_runtime(keras.Model(extractor.input, row))


def _stages(backbone: keras.Model) -> list[keras.KerasTensor]:
    """The last feature maps of each resolution, from large to small."""
    last: dict[tuple[int, ...], keras.KerasTensor] = {}
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.InputLayer | keras.layers.ZeroPadding2D):
            continue
        if len(layer.output.shape) == 4:
            last[tuple(layer.output.shape[1:3])] = layer.output
    sides = tuple(backbone.output.shape[1:3])
    return [maps for size, maps in last.items() if size > sides] + [backbone.output]


def _standard_deviation(maps: keras.KerasTensor) -> keras.KerasTensor:
    """Deviation of each channel over the image: the mean of maps times normalised maps."""
    normalise = keras.layers.GroupNormalization(groups=-1, epsilon=1e-6, center=False, scale=False)
    product = keras.layers.Multiply()([maps, normalise(maps)])
    return keras.layers.GlobalAveragePooling2D()(product)
