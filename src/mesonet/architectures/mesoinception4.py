"""MesoInception-4 (Afchar et al., WIFS 2018, arXiv 1809.00888).

The first two blocks of Meso-4 give way to inception blocks (Szegedy et al., CVPR 2015) with
dilated convolutions.
"""

from mesonet.architectures import register
from mesonet.architectures.blocks import activation_layer, classification_head, conv2D
from mesonet.backend import keras


def inception_block(
    ip: keras.KerasTensor, filters: tuple[int, int, int, int], activation: str
) -> keras.KerasTensor:
    """Four parallel branches, concatenated, batch-normalised and max-pooled by two.

    The first branch is a 1x1 convolution; the others are a 1x1 and a 3x3 convolution, dilated
    by 1, 2 and 3.
    """

    def convolve(layer: keras.KerasTensor, count: int, kernel: int, dilation: int = 1):  # type: ignore[no-untyped-def]
        layer = keras.layers.Conv2D(count, kernel, padding="same", dilation_rate=dilation)(layer)
        return activation_layer(layer, activation)

    branches = [convolve(ip, filters[0], 1)]
    for dilation, count in enumerate(filters[1:], start=1):
        branches.append(convolve(convolve(ip, count, 1), count, 3, dilation))
    layer = keras.layers.Concatenate()(branches)
    layer = keras.layers.BatchNormalization()(layer)
    return keras.layers.MaxPooling2D(2, padding="same")(layer)


@register("mesoinception4", summary="MesoInception-4: two inception blocks, 28,725 parameters")
def mesoinception4(
    ip: keras.KerasTensor,
    activation: str = "relu",
    dropout: float = 0.5,
    hidden_activation: str = "lrelu",
) -> keras.Model:
    """Build MesoInception-4 on an input tensor of shape ``(batch, height, width, 3)``."""
    layer = inception_block(ip, (1, 4, 4, 2), activation)
    layer = inception_block(layer, (2, 4, 4, 2), activation)
    layer = conv2D(layer, 16, 5, activation)
    layer = conv2D(layer, 16, 5, activation, pool_size=4)
    output = classification_head(layer, dropout, hidden_activation)
    return keras.Model(ip, output, name="mesoinception4")
