"""How an image becomes the input of a network, and what the network's output means."""

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]
Scaling = Literal["unit", "symmetric", "imagenet", "none"]

_MAX_SIZE = 4096
_SURE = 1e-6
_MAX_LOGIT = 36.0
_REAL_NAMES = frozenset({"real", "original", "originals", "authentic", "genuine", "pristine"})
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Size, interpolation and scaling a network was trained with.

    Attributes:
        size: height and width in pixels.
        interpolation: resampling filter.
        scaling: range of the values that reach the network: ``"unit"`` 0..1, ``"symmetric"``
            -1..1, ``"imagenet"`` 0..1 normalised by ImageNet's channel means and deviations,
            ``"none"`` 0..255.
    """

    size: int = 256
    interpolation: Interpolation = "nearest"
    scaling: Scaling = "unit"

    def __post_init__(self) -> None:
        if not (isinstance(self.size, int) and 0 < self.size <= _MAX_SIZE):
            raise ValueError(f"image size must be 1..{_MAX_SIZE} px, not {self.size!r}")
        if self.interpolation not in get_args(Interpolation):
            raise ValueError(f"unknown interpolation {self.interpolation!r}")
        if self.scaling not in get_args(Scaling):
            raise ValueError(f"unknown scaling {self.scaling!r}")

    def resize(self, image: Image.Image) -> NDArray[np.uint8]:
        """Bring an RGB image to pixels 0..255 of shape ``(size, size, 3)``, squeezed if need be."""
        resampling = Image.Resampling[self.interpolation.upper()]
        return np.asarray(image.resize((self.size, self.size), resampling))

    def scale(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn pixels 0..255 of shape ``(..., 3)`` into network input of the same shape."""
        x = images.astype(np.float32)
        if self.scaling == "none":
            return x
        if self.scaling == "symmetric":
            x /= np.float32(127.5)
            x -= np.float32(1)
            return x
        x /= np.float32(255)
        if self.scaling == "imagenet":
            x -= _IMAGENET_MEAN
            x /= _IMAGENET_STD
        return x


def logit(raw_scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log odds of scores 0..1, which are clipped to 1e-6 .. 1 - 1e-6."""
    clipped = np.clip(raw_scores.astype(np.float64), _SURE, 1 - _SURE)
    return np.log(clipped / (1 - clipped))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns a network's own scores into probabilities that can be taken at their word.

    Temperature scaling (Guo et al., ICML 2017) with a bias, which is Platt scaling of the log
    odds. It keeps the order of the scores.

    Attributes:
        temperature: above 1 the network was too sure of itself, below 1 too timid.
        bias: added to the log odds; above 0 the network saw too few manipulations.
    """

    temperature: float
    bias: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"the temperature must be above 0, not {self.temperature!r}")
        if not math.isfinite(self.bias):
            raise ValueError(f"the bias must be a finite number, not {self.bias!r}")

    def apply(self, raw_scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Turn raw fake scores 0..1 into probabilities strictly between 0 and 1."""
        logits = (logit(raw_scores) + self.bias) / self.temperature
        return 1 / (1 + np.exp(-np.clip(logits, -_MAX_LOGIT, _MAX_LOGIT)))


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What has to be known about a model besides its weights; stored inside the model file.

    Attributes:
        architecture: name in the registry, or None when unknown.
        preprocessing: how its images are prepared.
        class_names: names of class 0 and class 1; the sigmoid output is P(class 1).
        threshold: a ``fake_probability`` of at least this is called deepfake, 0..1.
        calibration: makes the ``fake_probability`` of the network's score, which is the
            ``fake_probability`` itself where there is none.
        band: a ``fake_probability`` from the first number on, but below the second, is
            uncertain; the threshold lies between them. None where every image is decided.
        error_rate: what share of the verdicts of each kind the band allows to be wrong, 0..1.
    """

    architecture: str | None = None
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    class_names: tuple[str, str] = ("deepfake", "real")
    threshold: float = 0.5
    calibration: Calibration | None = None
    band: tuple[float, float] | None = None
    error_rate: float | None = None

    def __post_init__(self) -> None:
        if not (
            len(self.class_names) == 2
            and all(isinstance(name, str) and 0 < len(name) <= 100 for name in self.class_names)
        ):
            raise ValueError(f"a model needs two class names, not {self.class_names!r}")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"the threshold must lie in 0..1, not {self.threshold!r}")
        if self.band is not None and not (
            len(self.band) == 2 and 0 <= self.band[0] <= self.threshold <= self.band[1] <= 1
        ):
            raise ValueError(
                f"the band must be two numbers of 0..1 around the threshold, not {self.band!r}"
            )
        if self.error_rate is not None and not 0 <= self.error_rate <= 1:
            raise ValueError(f"the error rate must lie in 0..1, not {self.error_rate!r}")

    @property
    def real_class(self) -> int:
        """Index of the class of real images: the one named so, else class 1."""
        return real_class(self.class_names)

    def raw_score(self, outputs: NDArray[np.floating]) -> NDArray[np.floating]:
        """Turn sigmoid outputs, P(class 1), into the network's own fake scores, both 0..1."""
        return 1 - outputs if self.real_class == 1 else outputs

    def calibrated(self, raw_scores: NDArray[np.floating]) -> NDArray[np.floating]:
        """Turn the network's fake scores into probabilities of manipulation, both 0..1."""
        return self.calibration.apply(raw_scores) if self.calibration else raw_scores

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        band = None if self.band is None else list(self.band)
        return asdict(self) | {"class_names": list(self.class_names), "band": band}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote, also before there were calibrations and bands.

        Raises:
            ValueError: a value is missing, of the wrong kind or out of range.
        """
        try:
            architecture = values["architecture"]
            calibration, band = values.get("calibration"), values.get("band")
            error_rate = values.get("error_rate")
            if band is not None:
                low, high = map(float, band)
                band = (low, high)
            if not (architecture is None or isinstance(architecture, str)):
                raise ValueError("the architecture must be a name")
            return cls(
                architecture=architecture,
                preprocessing=Preprocessing(**values["preprocessing"]),
                class_names=tuple(values["class_names"]),
                threshold=float(values["threshold"]),
                calibration=None if calibration is None else Calibration(**calibration),
                band=band,
                error_rate=None if error_rate is None else float(error_rate),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a model description: {error}") from error


def real_class(class_names: tuple[str, ...]) -> int:
    """Index of the class of real images, by a word of its name; else of the last class.

    The words are real, original, authentic, genuine and pristine, as in ``Celeb-real``.
    """
    named = named_real(class_names)
    return named[0] if len(named) == 1 else len(class_names) - 1


def named_real(class_names: Sequence[str]) -> list[int]:
    """Indices of the classes whose name says that their images are real."""
    names = [name.lower() for name in class_names]
    whole = [i for i, name in enumerate(names) if name in _REAL_NAMES]
    words = [
        i for i, name in enumerate(names) if _REAL_NAMES.intersection(re.split("[^a-z]", name))
    ]
    return whole or words
