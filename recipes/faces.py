"""Images of several sets, divided by fold and drawn by class and group."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from cache_views import fold_numbers
from numpy.typing import NDArray

from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import Grouping, group_keys
from mesonet.images.augmentation import Augmentation
from mesonet.images.reading import load_image
from mesonet.preprocessing import Preprocessing

MOVED = Augmentation(width_shift_range=0.05, height_shift_range=0.05, horizontal_flip=True)
WORN = Augmentation(
    brightness_range=(0.85, 1.15),
    channel_shift_range=12,
    channel_jitter_range=10,
    jpeg_quality_range=(50, 100),
)
SHRUNK = replace(WORN, resolution_range=(0.5, 1.0))

Image = NDArray[np.uint8]


def wear(image: Image, rng: np.random.Generator) -> Image:
    """Change light and colours, often compress, and sometimes lower the resolution."""
    return (SHRUNK if rng.random() < 0.3 else WORN)(image, rng)


class Faces:
    """Images of one set, to be drawn by class and group."""

    def __init__(
        self, data: ClassFolders, grouping: Grouping, preprocessing: Preprocessing
    ) -> None:
        keys = np.array(group_keys(data.names, grouping))
        self.paths, self.preprocessing = data.paths, preprocessing
        self.groups = {
            fake: [
                np.flatnonzero((keys == key) & (data.is_fake == fake))
                for key in np.unique(keys[data.is_fake == fake])
            ]
            for fake in (False, True)
        }

    def draw(self, rng: np.random.Generator, *, fake: bool) -> Image:
        """Any image of any group, moved a little."""
        group = self.groups[fake][rng.integers(len(self.groups[fake]))]
        return MOVED(load_image(self.paths[rng.choice(group)], self.preprocessing), rng)


def divide(
    data: Sequence[tuple[str, str]],
    preprocessing: Preprocessing,
    fold: int | None,
    sets: Collection[str] | None = None,
) -> tuple[dict[str, Faces], dict[str, ClassFolders]]:
    """What is trained on, and what is held out, by the name of the set.

    A fold of every set is held out, if one is named, and all of the sets that are not named.
    """
    trained, judged = {}, {}
    for folder, grouping in data:
        images = ClassFolders.read(folder)
        name = Path(folder).name
        if sets and name not in sets:
            judged[name] = images
            continue
        held_out = fold_numbers(images, grouping) == fold
        trained[name] = Faces(images.subset(~held_out), grouping, preprocessing)
        judged[name] = images.subset(held_out)
    return trained, judged
