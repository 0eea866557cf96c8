"""Images in, verdicts out: what the command line, the API and the report stand on.

Here a score is the ``fake_probability``: 0 is surely real, 1 surely manipulated. It is calibrated
where the model has a calibration; the ``raw_score`` is the network's own.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from mesonet.errors import ArgumentError, ImageError, ModelFileError
from mesonet.files import file_hash, joint_hash
from mesonet.images.reading import MAX_BYTES, MAX_PIXELS, ImageSource, load_image
from mesonet.model_info import ModelInfo
from mesonet.parallel import batched, cores, map_ahead
from mesonet.runtime import Runtime, keras_runtime, onnx_runtime
from mesonet.weights import DEFAULT, list_released, released

if TYPE_CHECKING:
    import keras

REAL = "real"
DEEPFAKE = "deepfake"
UNCERTAIN = "uncertain"

Band = tuple[float, float]

_decoding = threading.Semaphore(cores())
"""Bounds the memory of images that are decoded at the same time, by whomever."""


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
        ok: True, which tells it from a `Failure`.
        error: None, as there is none.
    """

    ok: ClassVar[Literal[True]] = True
    error: ClassVar[None] = None

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
    """An image that has no verdict, and why: mostly one that cannot be read.

    Attributes:
        path: the image's path or name.
        error: what is wrong.
        ok: False, which tells it from a `Verdict`. What a verdict would say is None.
    """

    ok: ClassVar[Literal[False]] = False
    label: ClassVar[None] = None
    probability: ClassVar[None] = None
    fake_probability: ClassVar[None] = None
    raw_score: ClassVar[None] = None

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
        scored_files: files that scores come from; that of the network but for released models.
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
        scored_files: Sequence[Path] = (),
    ) -> None:
        self.name = name
        self.info = info
        self.model_path = model_path
        self.scored_files = tuple(scored_files) or (model_path,)
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
            model: see `mesonet.weights.list_released`, or a file, see
                `mesonet.model_file.load_model`.
            architecture: names the network of a file that holds only weights.

        Raises:
            mesonet.errors.ModelFileError: no such model, or a file that is broken, is no
                model, or brings code.
        """
        found = released(str(model))
        if found and found.needs_encoder:
            from mesonet.thorough import thorough_runtime

            head, standard, _ = found.scored_files
            runtime = thorough_runtime(head, standard)
        elif found:
            runtime = onnx_runtime(found.onnx)
        if found:
            return cls(
                found.name,
                found.info,
                runtime,
                model_path=found.path,
                scored_files=found.scored_files,
            )
        from mesonet.model_file import load_model

        path = Path(model)
        if not path.suffix and not path.exists():
            raise ModelFileError(path, _no_such_model(str(model)))
        network, info = load_model(path, architecture)
        detector = cls(path.stem, info, keras_runtime(network), model_path=path)
        detector.__dict__ |= {"network": network, "hashes": {path.name: file_hash(path)}}
        return detector

    @property
    def scored_path(self) -> Path:
        """The first of the files that scores come from; records of exams lie beside it."""
        return self.scored_files[0]

    @cached_property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file that scores come from, by its name."""
        return {path.name: file_hash(path) for path in self.scored_files}

    @property
    def sha256(self) -> str:
        """`mesonet.files.joint_hash` of these files; that of the file where it is one."""
        return joint_hash(self.hashes.values())

    @property
    def has_network(self) -> bool:
        """Whether there is a Keras model; where the weights are a head there is none."""
        return self.model_path.suffix != ".npz"

    @cached_property
    def network(self) -> "keras.Model":
        """The Keras model, for explanations and export.

        Raises:
            ModelFileError: the detector has none.
        """
        from mesonet.model_file import load_model

        if not self.has_network:
            raise ModelFileError(self.name, "has no Keras network; `standard` has one")

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
            images: see `mesonet.images.reading.read_image`; in errors an image without a name is
                called by its number, from 1.
            threshold: from this ``fake_probability`` on an image is called a deepfake, below it
                real; by default the model's own threshold and band decide.
            batch_size: images that a worker takes at a time.
        """
        limit, band = self._limits(threshold)
        if batch_size < 1:
            raise ArgumentError(f"the batch size must be at least 1, not {batch_size}")

        def score(batch: list[tuple[str, ImageSource]]) -> list[Verdict | Failure]:
            return self._score(batch, limit, band)

        named = ((_name(image, number), image) for number, image in enumerate(images, start=1))
        with closing(map_ahead(score, batched(named, batch_size), cores())) as batches:
            for results in batches:
                yield from results

    def score(
        self,
        images: Sequence[ImageSource],
        *,
        threshold: float | None = None,
        max_pixels: int = MAX_PIXELS,
        max_bytes: int = MAX_BYTES,
    ) -> list[Verdict | Failure]:
        """Give a verdict on each of a few images at once, in the calling thread.

        Args:
            images: as for `predict`.
            threshold: as for `predict`.
            max_pixels: a larger image is refused from its header.
            max_bytes: a larger file is refused unread.
        """
        named = [(_name(image, number), image) for number, image in enumerate(images, start=1)]
        return self._score(named, *self._limits(threshold), max_pixels, max_bytes)

    def prepare(
        self,
        image: ImageSource,
        *,
        name: str | None = None,
        max_pixels: int = MAX_PIXELS,
        max_bytes: int = MAX_BYTES,
    ) -> NDArray[np.float32]:
        """The input that the network gets for an image, shape ``(size, size, 3)``.

        Raises:
            ImageError: see `mesonet.images.reading.read_image`.
        """
        preprocessing = self.info.preprocessing
        with _decoding:
            pixels = load_image(
                image, preprocessing, name=name, max_pixels=max_pixels, max_bytes=max_bytes
            )
        return preprocessing.scale(pixels)

    def raw_scores(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's own fake scores, 0..1, of prepared images; shape ``(n,)``.

        Args:
            images: shape ``(n, size, size, 3)``.
        """
        return self.info.raw_score(self._runtime(images)).astype(np.float32)

    def fake_probabilities(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score prepared images of shape ``(n, size, size, 3)``; shape ``(n,)``, 0..1."""
        return self.info.calibrated(self.raw_scores(images)).astype(np.float32)

    def _limits(self, threshold: float | None) -> tuple[float, Band | None]:
        if threshold is None:
            return self.info.threshold, self.info.band
        if not 0 <= threshold <= 1:
            raise ArgumentError(f"the threshold must lie in 0..1, not {threshold}")
        return threshold, None

    def _score(
        self,
        batch: Sequence[tuple[str, ImageSource]],
        threshold: float,
        band: Band | None,
        max_pixels: int = MAX_PIXELS,
        max_bytes: int = MAX_BYTES,
    ) -> list[Verdict | Failure]:
        results: dict[int, Verdict | Failure] = {}
        prepared, readable = [], []
        for position, (name, image) in enumerate(batch):
            try:
                prepared.append(
                    self.prepare(image, name=name, max_pixels=max_pixels, max_bytes=max_bytes)
                )
                readable.append(position)
            except ImageError as error:
                results[position] = Failure(error.path, error.reason)
        if prepared:
            raw = self.raw_scores(np.stack(prepared))
            calibrated = self.info.calibrated(raw).tolist()
            for position, raw_score, score in zip(readable, raw.tolist(), calibrated, strict=True):
                name = batch[position][0]
                results[position] = (
                    Verdict(name, score, threshold, self.name, raw_score, band)
                    if np.isfinite(raw_score)
                    else Failure(name, "the model gives no number for it")
                )
        return [results[position] for position in range(len(batch))]


def _name(image: ImageSource, number: int) -> str:
    if isinstance(image, str | os.PathLike):
        return os.fspath(image)
    named = getattr(image, "name", None) or getattr(image, "filename", None)
    return named if isinstance(named, str) else f"image {number}"


def _no_such_model(name: str) -> str:
    names = {model.name.lower(): model.name for model in list_released()}
    close = get_close_matches(name.lower(), names, n=1)
    hint = f"did you mean {names[close[0]]}?" if close else "see 'mesonet models'"
    return f"no released model and no file; {hint}"
