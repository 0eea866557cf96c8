"""Pictures of training and of what convolutional layers see."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mesonet.backend import keras
from mesonet.model import get_activation_model

_COLUMNS = 4
_CELL = 200
_WIDTH = 2000
_DPI = 100
_CELLS_PER_GAP = 16


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


def plot_layer(activation: NDArray[Any], index: int) -> Figure:
    """Draw the feature maps of one layer for one image.

    Args:
        activation: shape ``(height, width, filters)``.
        index: the layer's number, from 0, for the title.

    Returns:
        A grid with one cell per filter in the viridis colours, from the smallest to the largest
        value of each; four cells a row, or as many as there are rows. It is about 2,000 pixels
        wide at most, and takes only so many values of larger maps.
    """
    filters = activation.shape[-1]
    columns = max(_COLUMNS, math.isqrt(filters - 1) + 1)
    rows = -(-filters // columns)
    cell = min(_CELL, _WIDTH // columns)
    step = -(-max(activation.shape[:2]) // cell)
    maps = activation[::step, ::step].astype(np.float32)
    low, high = maps.min((0, 1)), maps.max((0, 1))
    maps = (maps - low) / np.where(high > low, high - low, 1)

    gap = -(-max(maps.shape[:2]) // _CELLS_PER_GAP)
    height, width = maps.shape[0] + gap, maps.shape[1] + gap
    grid = np.full((rows * height, columns * width), np.nan, np.float32)
    for number in range(filters):
        top, left = number // columns * height, number % columns * width
        grid[top : top + maps.shape[0], left : left + maps.shape[1]] = maps[..., number]

    figure = Figure(figsize=(columns * cell / _DPI, rows * cell / _DPI + 0.5), dpi=_DPI)
    figure.suptitle(f"Convolutional layer {index}")
    axes = figure.add_axes((0, 0, 1, 1 - 0.5 / figure.get_figheight()))
    axes.axis("off")
    axes.imshow(grid, cmap="viridis", vmin=0, vmax=1, interpolation="nearest")
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
            plot_layer(keras.ops.convert_to_numpy(output[0]), index)
            for output, index in zip(outputs, conv_idx, strict=True)
        ]
