"""Everything that can be chosen about a training."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from mesonet.datasets.groups import Grouping
from mesonet.errors import ArgumentError
from mesonet.images.blending import Blending


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a network is trained; ``mesonet train``, run folders and recipes use the same names.

    Attributes:
        validation_split: share of the images to validate on, between 0 and 1; else none.
        batch_size: images per step.
        use_default_augmentation: see `mesonet.data.get_train_data_generator`.
        augmentations: see `mesonet.data.get_train_data_generator`.
        epochs: how often every image is seen.
        compile: give the model a new Adam optimizer; False trains a compiled model further
            and keeps its optimizer, loss and metrics.
        lr: learning rate to start from.
        loss: name of a Keras loss.
        lr_decay: let the rate decay, as ``schedule`` says.
        decay_rate: factor of each step of the decay.
        decay_limit: where the decay ends.
        checkpoint: save the best model.
        stop_early: stop when ``monitor`` has not improved for ``patience`` epochs.
        monitor: what best means; without validation, its training counterpart.
        mode: ``"max"``, ``"min"`` or ``"auto"`` (lower is better for a loss, else higher).
        patience: see ``stop_early``.
        tensorboard: write TensorBoard event files.
        loss_curve: draw the loss curve.
        blending: add forgeries blended from real training images.
        weight_averaging: momentum, 0..1, of a moving average of the weights over the steps;
            the average is what is validated and saved as the best model.
        schedule: in ``"steps"`` as in `mesonet.training.schedules.decay_schedule`, or as
            ``"cosine"`` as in `mesonet.training.schedules.cosine_schedule`.
        gradient_norm: largest length of a step's gradient; longer ones are shortened.
        groups: which images must stay on one side of the validation split, see
            `mesonet.datasets.groups.group_keys`.
        seed: of the split, the order and the augmentation.

    Raises:
        ValueError: no epoch, or a mode that does not exist.
    """

    validation_split: float | None = None
    batch_size: int = 32
    use_default_augmentation: bool = True
    augmentations: Mapping[str, Any] | None = None
    epochs: int = 30
    compile: bool = True
    lr: float = 1e-3
    loss: str = "binary_crossentropy"
    lr_decay: bool = True
    decay_rate: float = 0.10
    decay_limit: float = 1e-6
    checkpoint: bool = True
    stop_early: bool = True
    monitor: str = "val_accuracy"
    mode: str = "auto"
    patience: int = 20
    tensorboard: bool = True
    loss_curve: bool = True
    blending: Blending | None = None
    weight_averaging: float | None = None
    schedule: Literal["steps", "cosine"] = "steps"
    gradient_norm: float | None = None
    groups: Grouping | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ArgumentError(f"epochs must be at least 1, not {self.epochs}")
        if self.mode not in {"auto", "min", "max"}:
            raise ArgumentError(f"mode must be auto, min or max, not {self.mode!r}")
        if self.schedule not in {"steps", "cosine"}:
            raise ArgumentError(f"schedule must be steps or cosine, not {self.schedule!r}")

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON, where ``groups`` is the name of a grouping or file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """From what `to_dict` gave, or a part of it.

        Raises:
            ValueError: there is no such setting, or a value is out of range.
        """
        unknown = content.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise ArgumentError(f"there is no training setting {', '.join(sorted(unknown))}")
        blending = content.get("blending")
        return cls(**dict(content) | {"blending": Blending(**blending) if blending else None})
