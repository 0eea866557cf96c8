"""A network as small as Meso-4 that does not start from nothing.

It begins with the stem and the first three blocks of EfficientNet-Lite0 (Tan & Le, ICML 2019,
arXiv 1905.11946), whose ImageNet weights know edges and textures, and ends in one more block of
that kind.
"""

from pathlib import Path

from mesonet.architectures import load_weights, register
from mesonet.architectures.efficientnet_lite import (
    convolve,
    efficientnet_lite0,
    inverted_residual,
    normalise,
)
from mesonet.backend import keras
from mesonet.preprocessing import Preprocessing


@register(
    "mesolite",
    summary="the first blocks of EfficientNet-Lite0 and one more, 28,049 parameters",
    preprocessing=Preprocessing(224, "bilinear", "symmetric"),
)
def mesolite(
    ip: keras.KerasTensor, weights: str | Path | None = None, dropout: float = 0.2
) -> keras.Model:
    """Build the network; ``weights`` are EfficientNet-Lite0's, "imagenet" or a file."""
    backbone = keras.Model(ip, efficientnet_lite0(ip))
    load_weights(backbone, "efficientnet_lite0", weights)
    layer = backbone.get_layer("blocks_2_add").output
    layer = inverted_residual(layer, "last", kernel=5, stride=2, expansion=4, channels=32)
    layer = normalise(convolve(layer, 64, "conv_head"), "bn1")
    layer = keras.layers.GlobalAveragePooling2D()(layer)
    layer = keras.layers.Dropout(dropout)(layer)
    output = keras.layers.Dense(1, activation="sigmoid", name="head")(layer)
    return keras.Model(ip, output, name="mesolite")
