"""Images in, verdicts out: what the command line, the API and the report stand on.

Here a score is the ``fake_probability``: 0 is surely real, 1 surely manipulated. It is calibrated
where the model has a calibration; the ``raw_score`` is the network's own.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mesonet.errors import ArgumentError, ImageError
from mesonet.images.reading import load_image
from mesonet.model_info import ModelInfo
from mesonet.runtime import Runtime, cores, keras_runtime, onnx_runtime
from mesonet.weights import DEFAULT, released

if TYPE_CHECKING:
    import keras

REAL = "real"
DEEPFAKE = "deepfake"
UNCERTAIN = "uncertain"

Band = tuple[float, float]
ImageSource = str | os.PathLike[str] | bytes | NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a detector says of one image.

    Attributes:
        path: the image's path or name.
        fake_probability: 0..1, 1 is manipulated; calibrated where the model has a calibration.
        threshold: from this ``fake_probability`` on the image is called a deepfake.
        model: name of the model.
        raw_score: the network's own fake score, 0..1.
        band: a ``fake_probability`` from the first number on, but below the second, is
            uncertain; None where every image is decided.
    """

    path: str
    fake_probability: float
    threshold: float
    model: str
    raw_score: float
    band: Band | None = None

    @property
    def called_fake(self) -> bool:
        """Whether the threshold calls the image a deepfake, be that certain or not."""
        return self.fake_probability >= self.threshold

    @property
    def label(self) -> str:
        """``"real"``, ``"deepfake"`` or ``"uncertain"``."""
        if self.band and self.band[0] <= self.fake_probability < self.band[1]:
            return UNCERTAIN
        return DEEPFAKE if self.called_fake else REAL

    @property
    def probability(self) -> float:
        """Probability of the label, 0..1; of an uncertain one, that of the likelier side."""
        fake = self.fake_probability
        if self.label == UNCERTAIN:
            return max(fake, 1 - fake)
        return fake if self.called_fake else 1 - fake

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain types."""
        return {
            "path": self.path,
            "label": self.label,
            "probability": self.probability,
            "fake_probability": self.fake_probability,
            "raw_score": self.raw_score,
            "model": self.model,
            "threshold": self.threshold,
            "band": None if self.band is None else list(self.band),
        }


@dataclass(frozen=True, slots=True)
class Failure:
    """An image that has no verdict, and why: mostly one that cannot be read."""

    path: str
    error: str

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain types."""
        return {"path": self.path, "error": self.error}


class Detector:
    """A model with all that is needed to turn images into verdicts.

    Attributes:
        name: what the model is called in verdicts.
        info: preprocessing, class names, calibration, threshold and band.
        model_path: file of the network.
        scored_path: file that scores come from; that of the network but for released models.
        default: name of the released model that is used unless another is named.
    """

    default = DEFAULT

    def __init__(
        self,
        name: str,
        info: ModelInfo,
        runtime: Runtime,
        *,
        model_path: Path,
        scored_path: Path | None = None,
    ) -> None:
        self.name = name
        self.info = info
        self.model_path = model_path
        self.scored_path = scored_path or model_path
        self._runtime = runtime

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] = DEFAULT,
        *,
        architecture: str | None = None,
    ) -> Self:
        """Load a released model by name, or a model file by path.

        Args:
            model: see `mesonet.weights.list_released`, or a file as of
                `mesonet.model_file.load_model`.
            architecture: names the network of a file that holds only weights.

        Raises:
            mesonet.errors.ModelFileError: no such model, or a file that is broken, is no
                model, or brings code.
        """
        found = released(str(model))
        if found:
            return cls(
                found.name,
                found.info,
                onnx_runtime(found.onnx),
                model_path=found.path,
                scored_path=found.onnx,
            )
        from mesonet.model_file import load_model

        path = Path(model)
        network, info = load_model(path, architecture)
        detector = cls(path.stem, info, keras_runtime(network), model_path=path)
        detector.__dict__["network"] = network
        return detector

    @cached_property
    def network(self) -> "keras.Model":
        """The Keras model, for explanations and export."""
        from mesonet.model_file import load_model

        return load_model(self.model_path)[0]

    def predict(
        self,
        images: Iterable[ImageSource],
        *,
        threshold: float | None = None,
        batch_size: int = 8,
    ) -> Iterator[Verdict | Failure]:
        """Give a verdict on every image, in order, as they come.

        Images are decoded and scored in parallel, a few batches ahead of the consumer; memory
        does not grow with their number.

        Args:
            images: paths, encoded files as bytes, or RGB arrays of shape
                ``(height, width, 3)`` with values 0..255.
            threshold: from this ``fake_probability`` on an image is called a deepfake, below it
                real; by default the model's own threshold and band decide.
            batch_size: images that a worker takes at a time.
        """
        limit = self.info.threshold if threshold is None else threshold
        band = self.info.band if threshold is None else None
        if not 0 <= limit <= 1:
            raise ArgumentError(f"the threshold must lie in 0..1, not {limit}")
        if batch_size < 1:
            raise ArgumentError(f"the batch size must be at least 1, not {batch_size}")
        source = iter(enumerate(images))
        pending: deque[Future[list[Verdict | Failure]]] = deque()
        workers = cores()
        with ThreadPoolExecutor(workers) as pool:
            try:
                while batch := list(islice(source, batch_size)):
                    pending.append(pool.submit(self._score, batch, limit, band))
                    if len(pending) > 2 * workers:
                        yield from pending.popleft().result()
                while pending:
                    yield from pending.popleft().result()
            finally:
                for future in pending:
                    future.cancel()

    def raw_scores(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's own fake scores, 0..1, of prepared images; shape ``(n,)``.

        Args:
            images: shape ``(n, size, size, 3)``.
        """
        return self.info.raw_score(self._runtime(images)).astype(np.float32)

    def fake_probabilities(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score prepared images of shape ``(n, size, size, 3)``; shape ``(n,)``, 0..1."""
        return self.info.calibrated(self.raw_scores(images)).astype(np.float32)

    def _score(
        self, batch: list[tuple[int, ImageSource]], threshold: float, band: Band | None
    ) -> list[Verdict | Failure]:
        results: dict[int, Verdict | Failure] = {}
        names = [
            f"image {index + 1}" if isinstance(item, bytes | np.ndarray) else os.fspath(item)
            for index, item in batch
        ]
        pixels = []
        readable = []
        for position, (_, item) in enumerate(batch):
            try:
                pixels.append(self._pixels(item, names[position]))
                readable.append(position)
            except ImageError as error:
                results[position] = Failure(error.path, error.reason)
        if pixels:
            raw = self.raw_scores(self.info.preprocessing.scale(np.stack(pixels)))
            calibrated = self.info.calibrated(raw).tolist()
            for position, raw_score, score in zip(readable, raw.tolist(), calibrated, strict=True):
                name = names[position]
                results[position] = (
                    Verdict(name, score, threshold, self.name, raw_score, band)
                    if np.isfinite(raw_score)
                    else Failure(name, f"the model {self.name} gives no number for it")
                )
        return [results[position] for position in range(len(batch))]

    def _pixels(self, item: ImageSource, name: str) -> NDArray[np.uint8]:
        if isinstance(item, np.ndarray):
            return self.info.preprocessing.resize(Image.fromarray(item))
        return load_image(item, self.info.preprocessing, name=name)
