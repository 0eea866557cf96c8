"""Checks the description of a network that a model file carries, before a layer is built.

A Keras configuration names classes, which Keras looks up and calls. Only the built-in layers
of image classifiers may be named here; functions, other modules and other classes are refused.
"""

import json
import math
from typing import Any

from mesonet.inspection.limits import (
    CODE,
    MAX_JSON_BYTES,
    MAX_LAYERS,
    MAX_SEQUENTIAL_LAYERS,
    MAX_VALUES,
    RefusedError,
    shortened,
)

_MAX_INTEGER = 100_000
_MAX_DEPTH_MULTIPLIER = 64
_MAX_RANK = 16
_MAX_DEPTH = 64
_LABELS = {"seed", "shared_object_id"}

_ABSURD = "which is absurdly large"


_LAYER_NAMES = """
Activation ActivityRegularization Add AlphaDropout Average
AveragePooling1D AveragePooling2D BatchNormalization CenterCrop Concatenate Conv1D Conv2D
Conv2DTranspose Cropping1D Cropping2D Dense DepthwiseConv1D DepthwiseConv2D Dot Dropout ELU
Flatten GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D
GlobalMaxPooling1D GlobalMaxPooling2D GroupNormalization Identity InputLayer
LayerNormalization LeakyReLU MaxPooling1D MaxPooling2D Maximum Minimum Multiply
Normalization PReLU Permute RMSNormalization RandomBrightness
RandomContrast RandomCrop RandomFlip RandomRotation RandomTranslation RandomZoom ReLU
RepeatVector Rescaling Reshape Resizing SeparableConv1D SeparableConv2D Softmax
SpatialDropout1D SpatialDropout2D Subtract UnitNormalization UpSampling1D
UpSampling2D ZeroPadding1D ZeroPadding2D
"""
_INITIALIZER_NAMES = """
Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones
Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros
"""
_LAYERS = frozenset(_LAYER_NAMES.split())
_INITIALIZERS = frozenset(_INITIALIZER_NAMES.split())
_MODELS = frozenset({"Functional", "Model", "Sequential"})
_REGULARIZERS = frozenset({"L1", "L2", "L1L2", "OrthogonalRegularizer"})
_CONSTRAINTS = frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"})
_OPTIMIZERS = frozenset({"Adadelta", "Adagrad", "Adam", "AdamW", "Nadam", "RMSprop", "SGD"})
_SCHEDULES = frozenset(
    {"CosineDecay", "ExponentialDecay", "InverseTimeDecay", "PiecewiseConstantDecay"}
)
_LOSSES = frozenset({"BinaryCrossentropy", "BinaryFocalCrossentropy", "MeanSquaredError"})
_METRICS = frozenset({"AUC", "BinaryAccuracy", "Precision", "Recall"})
_POLICIES = frozenset({"DTypePolicy", "FloatDTypePolicy", "Policy"})
_NOTATION = frozenset({"__keras_tensor__", "__tuple__", "TensorShape"})

_ALLOWED: dict[str | None, frozenset[str]] = {
    None: _LAYERS | _MODELS | _INITIALIZERS | _REGULARIZERS | _CONSTRAINTS | _POLICIES | _NOTATION,
    "keras": _MODELS | _POLICIES,
    "keras.constraints": _CONSTRAINTS,
    "keras.dtype_policies": _POLICIES,
    "keras.initializers": _INITIALIZERS,
    "keras.layers": _LAYERS,
    "keras.losses": _LOSSES,
    "keras.metrics": _METRICS,
    "keras.models": _MODELS,
    "keras.optimizers": _OPTIMIZERS,
    "keras.optimizers.schedules": _SCHEDULES,
    "keras.regularizers": _REGULARIZERS,
    "keras.src.applications.convnext": frozenset({"LayerScale"}),
    "keras.src.applications.inception_resnet_v2": frozenset({"CustomScaleLayer"}),
    "keras.src.models.functional": frozenset({"Functional"}),
    "keras.src.models.sequential": frozenset({"Sequential"}),
    "keras.src.ops.numpy": frozenset({"Add", "Divide", "Multiply", "Subtract", "TrueDivide"}),
}


def parse_json(text: str | bytes, what: str) -> dict[str, Any]:
    """Parse a JSON object of bounded size.

    Args:
        text: the JSON.
        what: what it is called in an error message.

    Raises:
        RefusedError: it is too large, too deep or no JSON object.
    """
    if len(text) > MAX_JSON_BYTES:
        raise RefusedError(f"has a {what} of more than {MAX_JSON_BYTES >> 20} MiB")
    try:
        value = json.loads(text)
    except RecursionError:
        raise RefusedError(f"has a {what} that is nested too deeply") from None
    except ValueError:
        raise RefusedError(f"has a {what} that is not JSON") from None
    if not isinstance(value, dict):
        raise RefusedError(f"has a {what} that is not a JSON object")
    return value


def check_config(config: dict[str, Any]) -> None:
    """Check the configuration of a model, current (Keras 3) or legacy (HDF5, since Keras 2.0).

    Raises:
        RefusedError: it names something that is not a built-in layer (or initializer, ...), or
            a size beyond all reason.
    """
    if "class_name" not in config:
        raise RefusedError("has a configuration that names no model")
    check_values(config)
    if _count_layers(config) > MAX_LAYERS:
        raise RefusedError(f"has more than {MAX_LAYERS:,} layers")


def check_values(config: Any) -> None:
    """Check the classes and sizes that any part of a configuration names.

    Raises:
        RefusedError: see `check_config`.
    """
    todo: list[tuple[Any, str, int]] = [(config, "", 0)]
    while todo:
        value, key, depth = todo.pop()
        if depth > _MAX_DEPTH:
            raise RefusedError("has a configuration that is nested too deeply")
        if isinstance(value, dict):
            if "class_name" in value:
                _check_class(value)
            todo += [(v, key if "shape" in key else k, depth + 1) for k, v in value.items()]
        elif isinstance(value, list):
            if "shape" in key:
                _check_shape(value, key)
            todo += [(item, key, depth + 1) for item in value]
        elif isinstance(value, int) and key not in _LABELS and abs(value) > _limit(key):
            raise RefusedError(f"asks for {shortened(key)} = {shortened(value)}, {_ABSURD}")


def _limit(key: str) -> int:
    if key == "depth_multiplier":  # of a feature map that no layer shows
        return _MAX_DEPTH_MULTIPLIER
    return MAX_VALUES if "shape" in key else _MAX_INTEGER


def _check_shape(shape: list[Any], key: str) -> None:
    sides = [abs(side) for side in shape if isinstance(side, int)]
    if len(sides) > _MAX_RANK or math.prod(sides) > MAX_VALUES:
        raise RefusedError(f"asks for {shortened(key)} = {shortened(shape)}, {_ABSURD}")


def _check_class(spec: dict[str, Any]) -> None:
    kind, module, config = spec["class_name"], spec.get("module"), spec.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    called = f" ({shortened(name)!r})" if name else ""
    if kind in ("Lambda", "__lambda__"):
        raise RefusedError(f"contains a Lambda layer{called}, {CODE}")
    if kind == "function":
        raise RefusedError(f"names the function {shortened(module)}.{shortened(config)}, {CODE}")
    registered = spec.get("registered_name")
    named = isinstance(kind, str) and isinstance(module, str | None)
    if not named or kind not in _ALLOWED.get(module, ()) or registered not in (None, kind):
        origin = f" of {shortened(module)}" if module else ""
        raise RefusedError(
            f"contains {shortened(registered or kind)}{called}{origin}, "
            "which is not one of the built-in layers that may be loaded"
        )


def _count_layers(spec: Any) -> int:
    """Layers that building runs through: a nested model counts each time it is called."""
    config = spec.get("config") if isinstance(spec, dict) else None
    layers = config.get("layers") if isinstance(config, dict) else config
    if not isinstance(layers, list):
        return 1
    if spec["class_name"] == "Sequential" and len(layers) > MAX_SEQUENTIAL_LAYERS:
        raise RefusedError(
            f"has a sequential model of more than {MAX_SEQUENTIAL_LAYERS} layers; "
            "save it as a functional one"
        )
    count = 0
    for layer in layers:
        nodes = layer.get("inbound_nodes") if isinstance(layer, dict) else None
        calls = len(nodes) if isinstance(nodes, list) else 1
        count += max(1, calls) * _count_layers(layer)
    return count
