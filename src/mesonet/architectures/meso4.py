"""Meso-4 (Afchar et al., WIFS 2018, arXiv 1809.00888): four convolutional blocks."""

from mesonet.architectures import register
from mesonet.architectures.blocks import classification_head, conv2D
from mesonet.backend import keras


@register("meso4", summary="Meso-4: four convolutional blocks, 28,073 parameters")
def meso4(
    ip: keras.KerasTensor,
    activation: str = "relu",
    dropout: float = 0.5,
    hidden_activation: str = "lrelu",
) -> keras.Model:
    """Build Meso-4 on an input tensor of shape ``(batch, height, width, 3)``."""
    layer = conv2D(ip, 8, 3, activation)
    layer = conv2D(layer, 8, 5, activation)
    layer = conv2D(layer, 16, 5, activation)
    layer = conv2D(layer, 16, 5, activation, pool_size=4)
    return keras.Model(ip, classification_head(layer, dropout, hidden_activation), name="meso4")
