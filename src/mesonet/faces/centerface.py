"""CenterFace: a small face detector that runs offline on the CPU.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point" (arXiv
1911.03599). ``centerface.md`` says where the weights come from.
"""

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mesonet.faces.face import Face
from mesonet.parallel import cores

WEIGHTS = Path(__file__).with_name("centerface.onnx")

_LONG_SIDE = 1280
_LONG_SIDE_FOR_LARGE_FACES = 640
_QUICK_SIDE = 720
_SMALLEST_JUDGED = 32
_PIXELS_OF_THE_SMALLEST = 18
_THRESHOLD = 0.5
_MAX_OVERLAP = 0.3
_STRIDE = 4
_MULTIPLE = 32

_Arrays = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


class CenterFace:
    """Finds faces from about 12 pixels to the whole picture.

    Args:
        long_side: larger pictures are scaled down to this many pixels at least.
        threshold: lowest score of a face, 0..1.
        streams: pictures that threads look at at once, each on its share of the cores. A single
            picture is done sooner with one stream, many are with one for each core.
    """

    def __init__(
        self, *, long_side: int = _LONG_SIDE, threshold: float = _THRESHOLD, streams: int = 1
    ) -> None:
        import openvino

        self.long_side = long_side
        self.threshold = threshold
        core = openvino.Core()
        network = core.read_model(WEIGHTS)
        network.reshape([1, 3, -1, -1])
        steps = openvino.preprocess.PrePostProcessor(network)
        steps.input().tensor().set_element_type(openvino.Type.u8)
        steps.input().tensor().set_layout(openvino.Layout("NHWC"))
        steps.input().model().set_layout(openvino.Layout("NCHW"))
        options = {
            "INFERENCE_PRECISION_HINT": "f32",
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": cores(),
        }
        self._network = core.compile_model(steps.build(), "CPU", options)
        self._requests = threading.local()

    def find(self, image: NDArray[np.uint8], *, quick: bool = False) -> list[Face]:
        """Find the faces in RGB pixels 0..255 of shape ``(height, width, 3)``, surest first.

        A picture is looked at so large that a face of 32 pixels, the smallest that is judged, has
        18 pixels: at 720 pixels where it has 1,280 or fewer. Above 720 a second look at 640 pixels
        finds the large faces.

        Args:
            image: the picture.
            quick: look once, at 720 pixels, whatever the size.
        """
        height, width = image.shape[:2]
        longest = max(height, width)
        needed = round(longest * _PIXELS_OF_THE_SMALLEST / _SMALLEST_JUDGED)
        if quick or needed <= _QUICK_SIDE:
            wanted = {_QUICK_SIDE}
        else:
            wanted = {needed, _LONG_SIDE_FOR_LARGE_FACES}
        sides = {min(longest, self.long_side, side) for side in wanted}
        looks = [self._look(image, side) for side in sorted(sides)]
        boxes, scores, landmarks = (np.concatenate(parts) for parts in zip(*looks, strict=True))
        boxes[:, 0::2] = boxes[:, 0::2].clip(0, width)
        boxes[:, 1::2] = boxes[:, 1::2].clip(0, height)
        return [
            Face(
                box=(left, top, right - left, bottom - top),
                score=float(scores[kept]),
                landmarks=tuple((x, y) for x, y in landmarks[kept].tolist()),
            )
            for kept in _suppress(boxes, scores)
            for left, top, right, bottom in [boxes[kept].tolist()]
        ]

    def _look(self, image: NDArray[np.uint8], long_side: int) -> _Arrays:
        """Boxes ``(n, 4)`` as left, top, right, bottom; scores ``(n,)``; points ``(n, 5, 2)``."""
        height, width = image.shape[:2]
        factor = long_side / max(height, width)
        if factor < 1:
            size = max(1, round(width * factor)), max(1, round(height * factor))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        down, right = (-image.shape[0]) % _MULTIPLE, (-image.shape[1]) % _MULTIPLE
        outputs = self._infer(np.pad(image, ((0, down), (0, right), (0, 0))))
        boxes, scores, landmarks = _decode(*outputs, threshold=self.threshold)
        return boxes / factor, scores, landmarks / factor

    def _infer(self, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        if not hasattr(self._requests, "own"):
            self._requests.own = self._network.create_infer_request()
        outputs: Any = self._requests.own.infer({0: pixels[None]}, share_inputs=True)
        return [np.array(outputs[index][0]) for index in range(4)]


def _decode(
    heat: NDArray[np.float32],
    scale: NDArray[np.float32],
    offset: NDArray[np.float32],
    points: NDArray[np.float32],
    *,
    threshold: float,
) -> _Arrays:
    """Read the maps, of one cell for 4 x 4 pixels, where the heat reaches the threshold.

    Args:
        heat: ``(1, rows, columns)``, scores.
        scale: ``(2, rows, columns)``, logarithm of height and width in cells.
        offset: ``(2, rows, columns)``, y and x of the centre within the cell.
        points: ``(10, rows, columns)``, y and x of five landmarks in heights and widths.
        threshold: lowest score of a face.
    """
    rows, columns = np.nonzero(heat[0] >= threshold)
    scores = heat[0, rows, columns]
    heights, widths = np.exp(scale[:, rows, columns]) * _STRIDE
    tops = (rows + offset[0, rows, columns] + 0.5) * _STRIDE - heights / 2
    lefts = (columns + offset[1, rows, columns] + 0.5) * _STRIDE - widths / 2
    boxes = np.stack([lefts, tops, lefts + widths, tops + heights], axis=1)
    relative = points[:, rows, columns].reshape(5, 2, -1)
    x = lefts + relative[:, 1] * widths
    y = tops + relative[:, 0] * heights
    landmarks = np.stack([x, y], axis=-1).transpose(1, 0, 2)
    return boxes.astype(np.float32), scores, landmarks.astype(np.float32)


def _suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> list[int]:
    """Indices of the boxes that no surer box covers, surest first."""
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        corners = np.maximum(boxes[best, :2], boxes[rest, :2])
        ends = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.maximum(ends - corners, 0), axis=1)
        union = areas[best] + areas[rest] - shared
        order = rest[shared <= _MAX_OVERLAP * np.maximum(union, 1e-6)]
    return kept
