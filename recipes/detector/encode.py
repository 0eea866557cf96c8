"""Class tokens of CLIP's image encoder for training views, kept batch by batch.

    python -m recipes.detector.encode TOKENS --data DATA --boxes BOXES.csv --batches 80

An interrupted run goes on where it was.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mesonet.files import writing
from mesonet.runtime import openvino_function
from mesonet.weights.clip import SIZE, build_encoder
from mesonet.weights.fetching import load_encoder_weights
from recipes.detector.batches import Batches
from recipes.detector.boxes import read_boxes
from recipes.detector.sets import samples

FIRST = 100_000
"""Number of the first batch; those of `standard` come before."""


@dataclass(frozen=True)
class NamedBatches(Batches):
    """Batches that remember the files that the views of the last one were drawn from."""

    files: list[str] = field(default_factory=list)

    def __call__(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """The batch, see `Batches`."""
        self.files.clear()
        return super().__call__(number)

    def _draw_pair(self, *arguments: Any, **options: Any) -> Any:
        pair = super()._draw_pair(*arguments, **options)
        self.files.extend(file for file, *_ in pair)
        return pair


def main() -> None:
    """Encode batches of the training part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokens", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--boxes", type=Path, required=True)
    parser.add_argument("--batches", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.tokens.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    chosen = [sample for sample in samples(arguments.data) if sample.part == "train"]
    boxes = read_boxes(arguments.boxes)
    batches = NamedBatches(arguments.data, boxes, chosen, SIZE, arguments.seed)
    encode = openvino_function(build_encoder(load_encoder_weights()))
    for number in range(arguments.batches):
        path = arguments.tokens / f"{number:05}.npz"
        if not path.is_file():
            views, fake = batches(FIRST + number)
            tokens = encode(views.astype(np.float32)).astype(np.float16)
            with writing(path) as partial:
                np.savez(partial, tokens=tokens, fake=fake, files=batches.files)
            print(f"batch {number + 1} of {arguments.batches}", flush=True)


if __name__ == "__main__":
    main()
