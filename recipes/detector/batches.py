"""Training batches: as many images of each class, and about as many of each set."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesonet.faces import Box
from mesonet.images.reading import read_image
from mesonet.preprocessing import Pixels
from recipes.detector.sets import Sample
from recipes.detector.views import draw

BATCH = 32
BLENDED = 0.2


@dataclass(frozen=True, slots=True)
class Round:
    """A stretch of the training, with a learning rate that rises and falls once.

    Attributes:
        steps: how many batches it has.
        rate: the highest learning rate.
        per_set: images of each set in a batch, as many real as manipulated.
        share: of its averaged weights in those that are released (Wortsman et al., ICML 2022,
            arXiv 2203.05482).
        swapped: sets whose blended forgeries take their parts from another person.
    """

    steps: int
    rate: float
    per_set: dict[str, int]
    share: float
    swapped: tuple[str, ...] = ()


ROUNDS = (
    Round(1200, 1e-3, {"mesonet": 6, "ffpp": 6, "ciplab": 6, "dfdc": 8, "synthetic": 6}, 0.3),
    Round(
        2200,
        7e-4,
        {"mesonet": 4, "ffpp": 4, "ciplab": 8, "dfdc": 10, "synthetic": 6},
        0.7,
        swapped=("ciplab",),
    ),
)
STEPS = sum(stretch.steps for stretch in ROUNDS)


def round_of(number: int) -> tuple[Round, int]:
    """The round of a batch, and the batch's number inside it.

    Batches beyond the training, which the head of `thorough` learns from, are like the first.
    """
    for stretch in ROUNDS:
        if number < stretch.steps:
            return stretch, number
        number -= stretch.steps
    return ROUNDS[0], number


_Drawn = tuple[str, bool, str | None]
"""A file, whether the outcome is manipulated, and the real file that is blended into it."""


@dataclass(frozen=True)
class Batches:
    """Draws batches by their number: the same seed and number give the same batch.

    Half of the images are drawn by group first, so that long videos do not count more than short
    ones; in `synthetic`, where every image is a group, all are drawn by source first.

    Attributes:
        data: folder of the sets.
        boxes: the face of each image.
        samples: training images.
        size: side of the views in pixels.
        seed: another one gives other batches.
    """

    data: Path
    boxes: dict[str, Box | None]
    samples: list[Sample]
    size: int
    seed: int
    _files: dict[tuple[str, bool], list[list[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        groups: dict[tuple[str, bool], dict[str, list[str]]] = {}
        for sample in self.samples:
            key = sample.source if sample.set == "synthetic" else sample.group
            of_class = groups.setdefault((sample.set, sample.fake), {})
            of_class.setdefault(key, []).append(sample.file)
        for name_and_class, by_key in groups.items():
            self._files[name_and_class] = [by_key[key] for key in sorted(by_key)]

    def __call__(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Views of shape ``(32, size, size, 3)``, and 1 where they are manipulated, else 0."""
        stretch, _ = round_of(number)
        views, fake = [], []
        for place, (name, count) in enumerate(stretch.per_set.items()):
            for pair in range(count // 2):
                numbers = (self.seed, number, place, pair)
                drawn = self._draw_pair(name, numbers, swapped=name in stretch.swapped)
                for file, is_fake, source in drawn:
                    blended = None if source is None else self._read(source)
                    views.append(draw(*self._read(file), self.size, numbers, source=blended))
                    fake.append(is_fake)
        return np.stack(views), np.array(fake, np.float32)

    def _draw_pair(self, name: str, numbers: tuple[int, ...], *, swapped: bool) -> list[_Drawn]:
        """A real image, and a forgery: of the set, or blended into that very image."""
        rng = np.random.default_rng(list(numbers))
        real = self._draw(name, fake=False, rng=rng)
        if rng.random() < BLENDED and name != "synthetic":
            source = self._draw(name, fake=False, rng=rng) if swapped else real
            return [(real, False, None), (real, True, source)]
        return [(real, False, None), (self._draw(name, fake=True, rng=rng), True, None)]

    def _draw(self, name: str, *, fake: bool, rng: np.random.Generator) -> str:
        groups = self._files[name, fake]
        if rng.random() < 0.5 or name == "synthetic":
            group = groups[rng.integers(len(groups))]
        else:
            sizes = np.array([len(group) for group in groups])
            group = groups[rng.choice(len(groups), p=sizes / sizes.sum())]
        return group[rng.integers(len(group))]

    def _read(self, file: str) -> tuple[Pixels, Box | None]:
        return np.asarray(read_image(self.data / file)), self.boxes[file]
