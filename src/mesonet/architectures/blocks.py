"""Building blocks that the MesoNet family shares.

The blocks follow Afchar et al., "MesoNet: a Compact Facial Video Forgery Detection
Network", WIFS 2018 (arXiv 1809.00888).
"""

from collections.abc import Callable
from typing import Any

from mesonet.backend import keras

LEAKY_SLOPE = 0.1

_ACTIVATIONS: dict[str, Callable[..., keras.layers.Layer]] = {
    "relu": keras.layers.ReLU,
    "elu": keras.layers.ELU,
    "lrelu": keras.layers.LeakyReLU,
}


def activation_layer(ip: Any, activation: str, *args: Any) -> keras.KerasTensor:
    """Apply an activation as a layer of its own.

    Args:
        ip: Keras tensor or array, of any shape.
        activation: ``"relu"``, ``"elu"`` or ``"lrelu"``.
        *args: positional arguments of the Keras layer, such as LeakyReLU's slope.

    Returns:
        The activated tensor, of the shape of ``ip``.

    Raises:
        KeyError: ``activation`` is none of the three.
    """
    return _ACTIVATIONS[activation](*args)(ip)


def conv2D(  # noqa: N802 - the documented name
    ip: Any,
    filters: int,
    kernel_size: int | tuple[int, int],
    activation: str,
    padding: str = "same",
    pool_size: int | tuple[int, int] = (2, 2),
) -> keras.KerasTensor:
    """Convolution (stride 1), activation, batch normalisation and max-pooling, in this order.

    Args:
        ip: tensor of shape ``(batch, height, width, channels)``.
        filters: number of convolution kernels.
        kernel_size: height and width of a kernel; an int stands for both.
        activation: ``"relu"``, ``"elu"`` or ``"lrelu"``.
        padding: ``"same"`` or ``"valid"``, in any case, for the convolution. Pooling always
            pads ("same"), so that no border pixel is dropped.
        pool_size: height and width of the pooling window and of its stride.

    Returns:
        Tensor of shape ``(batch, ceil(h / pool), ceil(w / pool), filters)``, where ``h`` and
        ``w`` are the convolution's output size.

    Raises:
        KeyError: ``activation`` is none of the three.
    """
    layer = keras.layers.Conv2D(filters, kernel_size, padding=padding.lower())(ip)
    layer = activation_layer(layer, activation)
    layer = keras.layers.BatchNormalization()(layer)
    return keras.layers.MaxPooling2D(pool_size, padding="same")(layer)


def fully_connected_layer(
    ip: Any, units: int, activation: str, dropout: float
) -> keras.KerasTensor:
    """Dense layer, activation and dropout, in this order.

    Args:
        ip: tensor whose last axis holds the features.
        units: number of neurons.
        activation: ``"relu"``, ``"elu"`` or ``"lrelu"``; ELU and LeakyReLU take 0.1 as alpha.
        dropout: share of activations dropped in training, 0..1.

    Returns:
        Tensor of shape ``(..., units)``.

    Raises:
        KeyError: ``activation`` is none of the three.
    """
    alpha = () if activation == "relu" else (LEAKY_SLOPE,)
    layer = keras.layers.Dense(units)(ip)
    layer = activation_layer(layer, activation, *alpha)
    return keras.layers.Dropout(dropout)(layer)


def classification_head(ip: Any, dropout: float, hidden_activation: str) -> keras.KerasTensor:
    """Flatten, dropout, 16 hidden neurons and one sigmoid output: the head of the family."""
    layer = keras.layers.Flatten()(ip)
    layer = keras.layers.Dropout(dropout)(layer)
    layer = fully_connected_layer(layer, 16, hidden_activation, dropout)
    return keras.layers.Dense(1, activation="sigmoid")(layer)
