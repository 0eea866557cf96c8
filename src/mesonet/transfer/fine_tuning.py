"""Training only the later part of a network whose first part knows enough already."""

from typing import Any

import numpy as np

from mesonet.backend import keras


def fold_batch_norm(model: keras.Model) -> keras.Model:
    """Let convolutions do what the batch normalisation behind them does.

    The network computes the same, faster, and can be fine-tuned with few images: their batch
    statistics are not needed, and no channel multiplies its gradient. Normalisation kept as it
    is does that: some channels of ImageNet networks vary so little that it enlarges them up to
    75 times, and a usual learning rate then ruins the network within a few steps.

    Args:
        model: a network of plain layers.

    Returns:
        A new network with the same names of layers. Normalisation that follows no convolution,
        or one with an activation in between, stays.
    """
    folded_into = {
        layer.input.name: layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }

    def normalisation(layer: keras.layers.Layer) -> keras.layers.BatchNormalization | None:
        kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
        if not isinstance(layer, kinds) or layer.activation is not keras.activations.linear:
            return None
        return folded_into.get(layer.output.name)

    gone = {norm.name for layer in model.layers if (norm := normalisation(layer))}

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        return layer.from_config(config | {"use_bias": True} if normalisation(layer) else config)

    def call(layer: keras.layers.Layer, *inputs: Any, **options: Any) -> Any:
        return inputs[0] if layer.name in gone else layer(*inputs, **options)

    folded = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in (layer for layer in folded.layers if layer.weights):
        original = model.get_layer(layer.name)
        if norm := normalisation(original):
            layer.set_weights(_folded_weights(original, norm))
        else:
            layer.set_weights(original.get_weights())
    return folded


def _folded_weights(
    layer: keras.layers.Layer, norm: keras.layers.BatchNormalization
) -> list[np.ndarray]:
    arrays = (norm.moving_mean, norm.moving_variance, norm.gamma, norm.beta)
    mean, variance, gamma, beta = (
        keras.ops.convert_to_numpy(array).astype(np.float64) if array is not None else default
        for array, default in zip(arrays, (0.0, 1.0, 1.0, 0.0), strict=True)
    )
    gain = gamma / np.sqrt(variance + norm.epsilon)
    kernel, *bias = layer.get_weights()
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    factor = gain.reshape(kernel.shape[2:]) if depthwise else gain
    return [kernel * factor, (sum(bias) - mean) * gain + beta]


def freeze(model: keras.Model, until: str) -> None:
    """Keep the first layers of a network as they are.

    The first layers of an ImageNet network, which cost most of the time, are good as they are.

    Args:
        model: a network with trained weights, not compiled yet.
        until: the layers before the first one whose name begins so are kept.

    Raises:
        ValueError: no layer's name begins so.
    """
    names = [layer.name for layer in model.layers]
    first = next((i for i, name in enumerate(names) if name.startswith(until)), None)
    if first is None:
        raise ValueError(f"no layer of {model.name} begins with {until!r}")
    for layer in model.layers[:first]:
        layer.trainable = False
