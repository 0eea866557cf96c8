"""What has to be known about a model besides its weights, and what its output means."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mesonet.class_names import real_class
from mesonet.evidence import Evidence
from mesonet.preprocessing import Preprocessing
from mesonet.training_data import TrainingData

_SURE = 1e-6
_MAX_LOGIT = 36.0


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
        evidence: words for a face's ``fake_probability``, with measured rates; None where nobody
            measured them.
        clip_evidence: the same for a person in a clip, measured on clips.
        kinds: which kinds of manipulation the model was measured on, such as ``"face swaps"``.
        training_data: what it was trained on; None where nobody recorded it.
    """

    architecture: str | None = None
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    class_names: tuple[str, str] = ("deepfake", "real")
    threshold: float = 0.5
    calibration: Calibration | None = None
    band: tuple[float, float] | None = None
    error_rate: float | None = None
    evidence: Evidence | None = None
    clip_evidence: Evidence | None = None
    kinds: tuple[str, ...] = ()
    training_data: TrainingData | None = None

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
        if not all(isinstance(kind, str) and 0 < len(kind) <= 100 for kind in self.kinds):
            raise ValueError(f"kinds of manipulation have names, unlike {self.kinds!r}")

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
        lists: dict[str, list[Any] | None] = {"class_names": list(self.class_names)}
        lists["kinds"] = list(self.kinds)
        lists["band"] = None if self.band is None else list(self.band)
        records = {
            name: None if record is None else record.to_dict()
            for name, record in (
                ("evidence", self.evidence),
                ("clip_evidence", self.clip_evidence),
                ("training_data", self.training_data),
            )
        }
        return asdict(self) | lists | records

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote, also before there were calibrations and all that follows.

        Raises:
            ValueError: a value is missing, of the wrong kind or out of range.
        """
        try:
            architecture = values["architecture"]
            calibration, band = values.get("calibration"), values.get("band")
            error_rate, data = values.get("error_rate"), values.get("training_data")
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
                evidence=_evidence(values.get("evidence")),
                clip_evidence=_evidence(values.get("clip_evidence")),
                kinds=tuple(values.get("kinds", ())),
                training_data=None if data is None else TrainingData.from_dict(data),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a model description: {error}") from error


def _evidence(values: dict[str, Any] | None) -> Evidence | None:
    return None if values is None else Evidence.from_dict(values)
