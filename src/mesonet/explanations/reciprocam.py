"""ReciproCAM (Byun & Lee, arXiv 2209.14074): the head sees one place of the feature map at a time.

Only the part behind the last feature map runs again, so a map costs little more than one pass. It
works where OpenVINO reads the model and the network averages one feature map, once.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mesonet.detector import Detector
from mesonet.explanations.face_crop import FaceCrop, Map
from mesonet.model_info import logit

_READABLE = {".onnx", ".xml"}
_POOLING = {"ReduceMean", "AvgPool"}


def has_feature_map(detector: Detector) -> bool:
    """Whether the detector has the one feature map that this needs."""
    path = detector.scored_path
    return path.suffix in _READABLE and _halves(path) is not None


def reciprocam_map(detector: Detector, face: FaceCrop) -> Map:
    """Log odds of manipulation when only one place of the feature map is seen, less their mean.

    Raises:
        ValueError: the network has no single last feature map.
    """
    halves = _halves(detector.scored_path)
    if halves is None:
        raise ValueError(f"{detector.name} has no single last feature map")
    body, head, axes = halves
    prepared = detector.info.preprocessing.scale(face.pixels[None])
    features = np.asarray(body({0: prepared})[0])
    spatial = [axis for axis in range(4) if axis in axes]
    rows, columns = (features.shape[axis] for axis in spatial)
    odds = np.empty((rows, columns))
    for row in range(rows):
        for column in range(columns):
            near = _gaussian(rows, columns, row, column)
            shape = [1] * 4
            shape[spatial[0]], shape[spatial[1]] = rows, columns
            output = np.asarray(head({0: features * near.reshape(shape)})[0], np.float32).ravel()[
                :1
            ]
            odds[row, column] = logit(detector.info.raw_score(output))[0]
    grid = (odds - odds.mean()).astype(np.float32)
    return np.asarray(
        cv2.resize(grid, (face.size, face.size), interpolation=cv2.INTER_CUBIC), np.float32
    )


def _gaussian(rows: int, columns: int, row: int, column: int) -> NDArray[np.float32]:
    """The place and, weaker, its neighbours, after the paper; the sum is that of a whole map."""
    y, x = np.indices((rows, columns), np.float32)
    near = np.exp(-((y - row) ** 2 + (x - column) ** 2) / 2) * (
        (abs(y - row) < 2) & (abs(x - column) < 2)
    )
    return np.asarray(near * (rows * columns / near.sum()), np.float32)


@lru_cache(maxsize=4)
def _halves(path: Path) -> tuple[Any, Any, frozenset[int]] | None:
    """The network up to its last feature map, what follows, and the map's spatial axes."""
    import openvino
    from openvino import opset13 as ops
    from openvino.passes import ConstantFolding, Manager

    core = openvino.Core()
    network = core.read_model(path)
    shape = network.input(0).partial_shape
    shape[0] = 1
    network.reshape(shape)
    folding = Manager()  # what follows from shapes alone would tie the head to the image
    folding.register_pass(ConstantFolding())
    folding.run_passes(network)
    pools = [
        op for op in network.get_ordered_ops() if op.get_type_name() in _POOLING and _averages(op)
    ]
    if len(pools) != 1:
        return None
    pool = pools[0]
    features = pool.input_value(0)
    axes = _axes(pool)
    body = openvino.Model([ops.result(features)], network.get_parameters())
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled_body = core.compile_model(body, "CPU", options)
    entrance = ops.parameter(list(features.get_shape()), np.float32)
    pool.input(0).replace_source_output(entrance.output(0))
    head = openvino.Model(network.get_results(), [entrance])
    return compiled_body, core.compile_model(head, "CPU", options), axes


def _averages(op: Any) -> bool:
    """Whether an operation averages a whole map rather than windows, or channels, of it."""
    return len(op.get_input_shape(0)) == 4 and len(_axes(op)) == 2


def _axes(op: Any) -> frozenset[int]:
    """The axes of a map that an operation leaves one value of, whether it keeps them or not."""
    before, after = tuple(op.get_input_shape(0)), tuple(op.get_output_shape(0))
    if len(after) == 4:
        return frozenset(axis for axis in range(1, 4) if after[axis] == 1 < before[axis])
    if len(after) == 2:
        return frozenset({1, 2} if after[1] == before[3] else {2, 3})
    return frozenset()
