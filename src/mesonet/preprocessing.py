"""How an image becomes the input of a network, and what the network's output means."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]
Scaling = Literal["unit", "symmetric", "imagenet", "none"]

_MAX_SIZE = 4096
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


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What has to be known about a model besides its weights; stored inside the model file.

    Attributes:
        architecture: name in the registry, or None when unknown.
        preprocessing: how its images are prepared.
        class_names: names of class 0 and class 1; the sigmoid output is P(class 1).
        threshold: a ``fake_probability`` of at least this is called deepfake, 0..1.
    """

    architecture: str | None = None
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    class_names: tuple[str, str] = ("deepfake", "real")
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not (
            len(self.class_names) == 2
            and all(isinstance(name, str) and 0 < len(name) <= 100 for name in self.class_names)
        ):
            raise ValueError(f"a model needs two class names, not {self.class_names!r}")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"the threshold must lie in 0..1, not {self.threshold!r}")

    @property
    def real_class(self) -> int:
        """Index of the class of real images: the one named so, else class 1."""
        return real_class(self.class_names)

    def fake_probability(self, scores: NDArray[np.floating]) -> NDArray[np.floating]:
        """Turn sigmoid outputs, P(class 1), into probabilities of manipulation, both 0..1."""
        return 1 - scores if self.real_class == 1 else scores

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return asdict(self) | {"class_names": list(self.class_names)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: a value is missing, of the wrong kind or out of range.
        """
        try:
            architecture = values["architecture"]
            if not (architecture is None or isinstance(architecture, str)):
                raise ValueError("the architecture must be a name")
            return cls(
                architecture=architecture,
                preprocessing=Preprocessing(**values["preprocessing"]),
                class_names=tuple(values["class_names"]),
                threshold=float(values["threshold"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a model description: {error}") from error


def real_class(class_names: tuple[str, ...]) -> int:
    """Index of the class of real images: the one named so, else the alphabetically last."""
    for index, name in enumerate(class_names):
        if name.lower() in _REAL_NAMES:
            return index
    return len(class_names) - 1
