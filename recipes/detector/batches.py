"""Training batches: as many images of each class, and about as many of each set."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesonet.faces import Box
from mesonet.images.reading import read_image
from recipes.detector.sets import Sample
from recipes.detector.views import Image, draw

PER_SET = {"mesonet": 6, "ffpp": 6, "ciplab": 6, "dfdc": 8, "synthetic": 6}
BLENDED = 0.2
BATCH = sum(PER_SET.values())

_Drawn = tuple[str, bool, bool]
"""A file, whether a forgery is blended from it, and whether the outcome is manipulated."""


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
        views, fake = [], []
        for place, (name, count) in enumerate(PER_SET.items()):
            for pair in range(count // 2):
                numbers = (self.seed, number, place, pair)
                for file, blended, is_fake in self._draw_pair(name, numbers):
                    image = self._read(file)
                    views.append(draw(image, self.boxes[file], self.size, numbers, blended=blended))
                    fake.append(is_fake)
        return np.stack(views), np.array(fake, np.float32)

    def _draw_pair(self, name: str, numbers: tuple[int, ...]) -> list[_Drawn]:
        """A real image, and a forgery: of the set, or blended from that very image."""
        rng = np.random.default_rng(list(numbers))
        real = self._draw(name, fake=False, rng=rng)
        if rng.random() < BLENDED and name != "synthetic":
            return [(real, False, False), (real, True, True)]
        return [(real, False, False), (self._draw(name, fake=True, rng=rng), False, True)]

    def _draw(self, name: str, *, fake: bool, rng: np.random.Generator) -> str:
        groups = self._files[name, fake]
        if rng.random() < 0.5 or name == "synthetic":
            group = groups[rng.integers(len(groups))]
        else:
            sizes = np.array([len(group) for group in groups])
            group = groups[rng.choice(len(groups), p=sizes / sizes.sum())]
        return group[rng.integers(len(group))]

    def _read(self, file: str) -> Image:
        return np.asarray(read_image(self.data / file))
