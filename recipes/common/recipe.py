"""A recipe: which data, how divided, how trained, how measured."""

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from mesonet.training.settings import TrainingSettings

_HERE = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A folder that nothing was trained on, and which of its images belong together."""

    folder: Path
    groups: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a TOML file says; paths in it are relative to ``data``.

    Attributes:
        kind: which stages it is made by.
        architecture: name in the registry.
        seed: of the divisions, the order and the augmentation.
        data: the folder that paths are relative to.
        output: the run folder.
        folder: two class folders to train and test on.
        groups: which of their images belong together.
        test: share of the images to set aside, 0..1.
        validation: share of the others that chooses epoch and threshold, 0..1.
        kinds: of manipulation in that folder.
        start: trained weights to go on from, if any.
        preprocessing: size, interpolation and scaling.
        training: how it is trained; groups, seed and validation are put in.
        unseen: other folders to measure on.
    """

    kind: str
    architecture: str
    seed: int
    data: Path
    output: Path
    folder: Path
    groups: str
    test: float
    validation: float
    kinds: tuple[str, ...] = ()
    start: Path | None = None
    preprocessing: dict[str, Any] = field(default_factory=dict)
    training: TrainingSettings
    unseen: tuple[Measured, ...] = ()

    @classmethod
    def read(cls, name: str, data: Path, output: Path, seed: int | None) -> Self:
        """Read a recipe by its name or path.

        Raises:
            OSError: there is none.
            ValueError: it is no TOML, or names a training setting that does not exist.
            KeyError: something is missing.
        """
        path = Path(name) if name.endswith(".toml") else _HERE / f"{name}.toml"
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        sets = content["data"]
        start = content.get("start")
        return cls(
            kind=content["kind"],
            architecture=content["architecture"],
            seed=content["seed"] if seed is None else seed,
            data=data,
            output=output,
            folder=data / sets["folder"],
            groups=sets["groups"],
            test=sets["test"],
            validation=sets["validation"],
            kinds=tuple(sets.get("kinds", ())),
            start=data / start if start else None,
            preprocessing=content.get("preprocessing", {}),
            training=replace(
                TrainingSettings.from_dict(content.get("training", {})),
                validation_split=sets["validation"],
                groups=sets["groups"],
                seed=content["seed"] if seed is None else seed,
            ),
            unseen=tuple(
                Measured(folder=data / one["folder"], groups=_groups(data, one["groups"]))
                for one in content.get("unseen", ())
            ),
        )


def _groups(data: Path, groups: str) -> str:
    return str(data / groups) if groups.endswith(".csv") else groups
