"""MnasNet-B1 (Tan et al., CVPR 2019, arXiv 1807.11626), as torchvision publishes it.

The depth multiplier scales the channels of every stage. Layers bear the names of the published
PyTorch weights, and pad like PyTorch: by the same amount on all sides.
"""

from collections.abc import Callable

from mesonet.architectures import register_backbone
from mesonet.architectures.pretrained import Published
from mesonet.backend import keras
from mesonet.preprocessing import Preprocessing

# (repeats, kernel, stride of the first block, expansion, channels before scaling)
_STAGES = (
    (3, 3, 2, 3, 24),
    (3, 5, 2, 3, 40),
    (3, 5, 2, 6, 80),
    (2, 3, 1, 6, 96),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _FIRST, _HEAD = 32, 16, 1280
_DIVISOR = 8
_FIRST_STAGE = 8

_FILES = {
    0.5: ("mnasnet0.5_top1_67.823-3ffadce67e.pth", "3ffadce67e"),
    0.75: ("mnasnet0_75-7090bc5f.pth", "7090bc5f"),
    1.0: ("mnasnet1.0_top1_73.512-f206786ef8.pth", "f206786ef8"),
    1.3: ("mnasnet1_3-a4c69d6f.pth", "a4c69d6f"),
}


def _scale(channels: int, multiplier: float) -> int:
    """Channels in steps of eight: the nearest, but never below nine tenths of what was asked."""
    wanted = channels * multiplier
    nearest = max(_DIVISOR, int(wanted + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    return nearest if nearest >= 0.9 * wanted else nearest + _DIVISOR


def _normalise(ip: keras.KerasTensor, name: str, *, activate: bool = True) -> keras.KerasTensor:
    layer = keras.layers.BatchNormalization(momentum=0.9997, epsilon=1e-5, name=name)(ip)
    return keras.layers.ReLU(name=f"{name}_relu")(layer) if activate else layer


def _pad(ip: keras.KerasTensor, kernel: int, name: str) -> keras.KerasTensor:
    return keras.layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(ip)


def _convolve(
    ip: keras.KerasTensor, filters: int, name: str, kernel: int = 1, stride: int = 1
) -> keras.KerasTensor:
    layer = _pad(ip, kernel, name) if kernel > 1 else ip
    return keras.layers.Conv2D(filters, kernel, stride, use_bias=False, name=name)(layer)


def _convolve_depthwise(
    ip: keras.KerasTensor, name: str, kernel: int, stride: int = 1
) -> keras.KerasTensor:
    layer = _pad(ip, kernel, name)
    return keras.layers.DepthwiseConv2D(kernel, stride, use_bias=False, name=name)(layer)


def _block(
    ip: keras.KerasTensor, name: str, kernel: int, stride: int, expansion: int, channels: int
) -> keras.KerasTensor:
    """Inverted residual: expand, depthwise convolution, project, and add where sizes agree."""
    layer = _convolve(ip, ip.shape[-1] * expansion, f"{name}_layers_0")
    layer = _normalise(layer, f"{name}_layers_1")
    layer = _convolve_depthwise(layer, f"{name}_layers_3", kernel, stride)
    layer = _normalise(layer, f"{name}_layers_4")
    layer = _convolve(layer, channels, f"{name}_layers_6")
    layer = _normalise(layer, f"{name}_layers_7", activate=False)
    if stride == 1 and ip.shape[-1] == channels:
        layer = keras.layers.Add(name=f"{name}_add")([ip, layer])
    return layer


def mnasnet(ip: keras.KerasTensor, multiplier: float) -> keras.KerasTensor:
    """Features of an image, for any depth multiplier.

    Args:
        ip: tensor of shape ``(batch, height, width, 3)``, normalised like ImageNet's images.
        multiplier: factor of the channels.

    Returns:
        Tensor of shape ``(batch, ceil(height / 32), ceil(width / 32), 1280)``.
    """
    stem = _scale(_STEM, multiplier)
    layer = _normalise(_convolve(ip, stem, "layers_0", kernel=3, stride=2), "layers_1")
    layer = _normalise(_convolve_depthwise(layer, "layers_3", kernel=3), "layers_4")
    layer = _convolve(layer, _scale(_FIRST, multiplier), "layers_6")
    layer = _normalise(layer, "layers_7", activate=False)
    for stage, (repeats, kernel, stride, expansion, channels) in enumerate(_STAGES, _FIRST_STAGE):
        width = _scale(channels, multiplier)
        for repeat in range(repeats):
            first = 1 if repeat else stride
            layer = _block(layer, f"layers_{stage}_{repeat}", kernel, first, expansion, width)
    return _normalise(_convolve(layer, _HEAD, "layers_14"), "layers_15")


def _register(multiplier: float) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    file, sha256 = _FILES[multiplier]

    def build(ip: keras.KerasTensor) -> keras.KerasTensor:
        return mnasnet(ip, multiplier)

    return register_backbone(
        f"mnasnet{multiplier}".replace(".", "_"),
        summary=f"MnasNet with depth multiplier {multiplier}, ImageNet weights of torchvision",
        preprocessing=Preprocessing(224, "bilinear", "imagenet"),
        published=Published(
            sha256, url=f"https://download.pytorch.org/models/{file}", ignored=("classifier",)
        ),
    )(build)


for _multiplier in _FILES:
    _register(_multiplier)
