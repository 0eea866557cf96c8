"""Draws what layers see in a process of its own, which spares this one Keras and its memory.

``python -m classifiers.drawing FOLDER`` reads ``order.json`` in the folder (``model``, a file, and
``layers``, indices from 0) and ``images.npy``, prepared images, and writes
``<image>_<layer>.png``. It ends with 0, or with 3 and the reason on standard output.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers import child
from mesonet.errors import ArgumentError, ModelFileError

_REFUSED = 3
_BACKENDS = ("openvino", "tensorflow")
"""Keras on OpenVINO starts in half of the time and memory, but cannot run every network."""


def draw(
    model: Path, images: NDArray[np.floating], layers: Sequence[int], seconds: float
) -> list[list[bytes]]:
    """Draw convolutional layers of a model file for images, elsewhere.

    Args:
        model: the file.
        images: prepared images, shape ``(n, size, size, 3)``.
        layers: indices of the layers, from 0.
        seconds: how long it may take.

    Returns:
        A PNG picture for each image and layer.

    Raises:
        ModelFileError: the model is refused, has no such layer, or crashes the process.
        TimeoutError: it takes too long.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        np.save(folder / "images.npy", images)
        order = {"model": str(model), "layers": list(layers)}
        (folder / "order.json").write_text(json.dumps(order))
        for backend in _BACKENDS:
            done = child.run("classifiers.drawing", temporary, seconds, KERAS_BACKEND=backend)
            if done.returncode == 0:
                break
            if done.returncode == _REFUSED:
                raise ModelFileError(model, done.stdout.strip())
        else:
            raise ModelFileError(model, "makes the program that draws its layers crash")
        return [
            [(folder / f"{image}_{layer}.png").read_bytes() for layer in layers]
            for image in range(len(images))
        ]


def _draw(folder: Path) -> int:
    from mesonet.model_file import load_model
    from mesonet.visualization import visualize_conv_layers

    order = json.loads((folder / "order.json").read_text())
    images = np.load(folder / "images.npy")
    try:
        network, _ = load_model(order["model"])
        for image, figures in enumerate(visualize_conv_layers(network, images, order["layers"])):
            for layer, figure in zip(order["layers"], figures, strict=True):
                path = folder / f"{image}_{layer}.png"
                figure.savefig(path, metadata={"Software": None})
    except (ModelFileError, ArgumentError) as error:
        print(getattr(error, "reason", error))  # noqa: T201
        return _REFUSED
    return 0


if __name__ == "__main__":
    child.follow()
    sys.exit(_draw(Path(sys.argv[1])))
