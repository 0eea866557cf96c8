"""The released detector `thorough`: CLIP's image encoder with a head of its own, beside `standard`.

The head compares class tokens of several blocks with those of training faces, by a Gaussian
kernel; tokens of middle blocks serve as in RINE (Koutlis & Papadopoulos, ECCV 2024,
arXiv 2402.19091). Its log odds and those of `standard` are added with weights.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mesonet.model_info import logit
from mesonet.runtime import Runtime, onnx_runtime, openvino_function
from mesonet.weights.clip import build_encoder
from mesonet.weights.fetching import load_encoder_weights


@dataclass(frozen=True, slots=True)
class Head:
    """From class tokens and the log odds of `standard` to log odds of manipulation.

    Attributes:
        blocks: which blocks' class tokens are taken, counted from 0; shape ``(b,)``.
        mean: of the tokens in training, shape ``(b * 768,)``.
        deviation: likewise.
        faces: standardised tokens of training faces, shape ``(m, b * 768)``.
        coefficients: weight of each of them, shape ``(m,)``.
        gamma: of the Gaussian kernel.
        mix: weight of the kernel's decision, weight of the log odds of `standard`, and what is
            added.
    """

    blocks: NDArray[np.int64]
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    faces: NDArray[np.float32]
    coefficients: NDArray[np.float32]
    gamma: float
    mix: tuple[float, float, float]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a released head."""
        with np.load(path, allow_pickle=False) as arrays:
            kernel, standard, bias = arrays["mix"].tolist()
            return cls(
                blocks=arrays["blocks"],
                mean=arrays["mean"],
                deviation=arrays["deviation"],
                faces=arrays["faces"].astype(np.float32),
                coefficients=arrays["coefficients"],
                gamma=float(arrays["gamma"]),
                mix=(kernel, standard, bias),
            )

    def decide(self, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        """The kernel's decision for class tokens of shape ``(n, 12, 768)``; shape ``(n,)``."""
        chosen = tokens[:, self.blocks].reshape(len(tokens), -1)
        x = (chosen - self.mean) / self.deviation
        squares = (x**2).sum(1)[:, None] + (self.faces**2).sum(1) - 2 * x @ self.faces.T
        decided: NDArray[np.float32] = np.exp(-self.gamma * squares) @ self.coefficients
        return decided

    def log_odds(
        self, tokens: NDArray[np.float32], standard: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Log odds of manipulation, given those of `standard`; shape ``(n,)``."""
        kernel, other, bias = self.mix
        return kernel * self.decide(tokens) + other * standard + bias


def thorough_runtime(head: Path, standard: Path) -> Runtime:
    """Run the image encoder, the head and `standard`'s ONNX file on pixels 0..255.

    Raises:
        ModelFileError: the encoder's weights were not fetched, or are damaged.
    """
    encode = openvino_function(build_encoder(load_encoder_weights()))
    run_standard = onnx_runtime(standard)
    fitted = Head.read(head)

    def run(images: NDArray[np.float32]) -> NDArray[np.float32]:
        small = -logit(run_standard(images / np.float32(127.5) - 1))
        real_odds = -fitted.log_odds(encode(images), small)
        return (1 / (1 + np.exp(-real_odds))).astype(np.float32)

    return run
