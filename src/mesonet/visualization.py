"""Pictures of training and of what convolutional layers see."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mesonet.backend import keras
from mesonet.model import get_activation_model

_COLUMNS = 4


def plot_loss_curve(history: keras.callbacks.History | Mapping[str, Sequence[float]]) -> Figure:
    """Draw training and, where there is one, validation loss against the epochs.

    Args:
        history: what `mesonet.train.train_model` returns, or its dictionary of lists.
    """
    values: Mapping[str, Sequence[float]] = getattr(history, "history", history)
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    epochs = range(1, len(values["loss"]) + 1)
    axes.plot(epochs, values["loss"], marker=".", label="training")
    if "val_loss" in values:
        axes.plot(epochs, values["val_loss"], marker=".", label="validation")
    axes.set(xlabel="epoch", ylabel="loss", title="Loss curve")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def plot_layer(activation: NDArray[Any], number: int) -> Figure:
    """Draw the feature maps of one layer for one image.

    Args:
        activation: shape ``(height, width, filters)``.
        number: the layer's number, from 1, for the title.

    Returns:
        A grid with one cell per filter, four cells a row, in the viridis colours.
    """
    filters = activation.shape[-1]
    rows = -(-filters // _COLUMNS)
    figure = Figure(figsize=(2 * _COLUMNS, 2 * rows + 0.5), layout="constrained")
    figure.suptitle(f"Convolutional layer {number}")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for index, axes in enumerate(grid):
        axes.axis("off")
        if index < filters:
            axes.imshow(activation[..., index], cmap="viridis", interpolation="nearest")
    return figure


def visualize_conv_layers(
    model: keras.Model, imgs: NDArray[np.floating], conv_idx: Sequence[int]
) -> Iterator[list[Figure]]:
    """Draw what selected convolutional layers make of images.

    Args:
        model: a trained network.
        imgs: prepared images, shape ``(n, height, width, 3)``.
        conv_idx: indices of convolutional layers, from 0, in the order wanted.

    Yields:
        For each image a list with one figure per selected layer; see `plot_layer`.

    Raises:
        ValueError: the network has no such convolutional layer.
    """
    activation_model = get_activation_model(model, conv_idx)
    for image in imgs:
        outputs = activation_model(image[None])
        if len(conv_idx) == 1:
            outputs = [outputs]
        yield [
            plot_layer(keras.ops.convert_to_numpy(output[0]), index + 1)
            for output, index in zip(outputs, conv_idx, strict=True)
        ]
