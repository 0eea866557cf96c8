"""Backbones of `keras.applications`.

MobileNetV2 (Sandler et al., CVPR 2018, arXiv 1801.04381), MobileNetV3 (Howard et al., ICCV 2019,
arXiv 1905.02244) and EfficientNet-B0 (Tan & Le, ICML 2019, arXiv 1905.11946).
"""

import numpy as np

from mesonet.architectures import register_backbone
from mesonet.architectures.pretrained import PublishedByKeras
from mesonet.backend import keras
from mesonet.preprocessing import Preprocessing

_SYMMETRIC = Preprocessing(224, "bilinear", "symmetric")
_PIXELS = Preprocessing(224, "bilinear", "none")
_MEAN = np.array([0.485, 0.456, 0.406])
_STD = np.array([0.229, 0.224, 0.225])

_mobilenet_v2 = keras.applications.MobileNetV2
_mobilenet_v3_small = keras.applications.MobileNetV3Small
_mobilenet_v3_large = keras.applications.MobileNetV3Large
_efficientnet_b0 = keras.applications.EfficientNetB0


@register_backbone(
    "mobilenet_v2",
    summary="MobileNetV2 with Keras' ImageNet weights, 2.3 million parameters",
    preprocessing=_SYMMETRIC,
    published=PublishedByKeras(_mobilenet_v2),
)
def mobilenet_v2(ip: keras.KerasTensor) -> keras.KerasTensor:
    """Features of shape ``(n, ceil(h / 32), ceil(w / 32), 1280)``."""
    return _mobilenet_v2(input_tensor=ip, include_top=False, weights=None).output


@register_backbone(
    "mobilenet_v3_small",
    summary="MobileNetV3 small with Keras' ImageNet weights, 0.9 million parameters",
    preprocessing=_PIXELS,
    published=PublishedByKeras(_mobilenet_v3_small),
)
def mobilenet_v3_small(ip: keras.KerasTensor) -> keras.KerasTensor:
    """Features of shape ``(n, ceil(h / 32), ceil(w / 32), 576)``."""
    return _mobilenet_v3_small(input_tensor=ip, include_top=False, weights=None).output


@register_backbone(
    "mobilenet_v3_large",
    summary="MobileNetV3 large with Keras' ImageNet weights, 3.0 million parameters",
    preprocessing=_PIXELS,
    published=PublishedByKeras(_mobilenet_v3_large),
)
def mobilenet_v3_large(ip: keras.KerasTensor) -> keras.KerasTensor:
    """Features of shape ``(n, ceil(h / 32), ceil(w / 32), 960)``."""
    return _mobilenet_v3_large(input_tensor=ip, include_top=False, weights=None).output


@register_backbone(
    "efficientnet_b0",
    summary="EfficientNet-B0 with Keras' ImageNet weights, 4.0 million parameters",
    preprocessing=_PIXELS,
    published=PublishedByKeras(_efficientnet_b0),
)
def efficientnet_b0(ip: keras.KerasTensor) -> keras.KerasTensor:
    """Features of shape ``(n, ceil(h / 32), ceil(w / 32), 1280)``.

    The published weights hold deviations where the normalisation expects variances. Keras makes
    up for it by one more layer, but only when it downloads them itself; here the pixels are
    rescaled beforehand, to the same effect, so that the network is the same for any weights.
    """
    scale = 1 / np.sqrt(_STD)
    offset = 255 * _MEAN * (1 - scale)
    layer = keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="input_scaling")(ip)
    return _efficientnet_b0(input_tensor=layer, include_top=False, weights=None).output
