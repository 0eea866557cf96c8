"""Faces found in data sets and photographs, cut in several ways, and scored once for all."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mesonet.datasets.groups import spread_over_groups
from mesonet.detector import Detector
from mesonet.errors import ImageError
from mesonet.evaluation.benchmark.models import DataSet
from mesonet.evaluation.benchmark.prediction_cache import PredictionCache
from mesonet.faces import CenterFace, Face, measure_quality
from mesonet.images.reading import read_image
from mesonet.media import MEDIA_SUFFIXES, Limits, Photo, open_medium
from mesonet.parallel import cores
from mesonet.preprocessing import Pixels

FRAMES = 6

Cut = Callable[[Pixels, Face], Pixels | None]
"""Cuts a face out of a picture; None where that cannot be done with this one."""


@dataclass(frozen=True, eq=False)
class Found:
    """A face in a picture.

    Attributes:
        set: name of the data set, or of the folder of photographs.
        group: what it shares with faces that are not independent of it.
        fake: whether it is manipulated.
        image: the picture, RGB 0..255 of shape ``(height, width, 3)``.
        face: its place.
    """

    set: str
    group: str
    fake: bool
    image: Pixels
    face: Face

    @property
    def size(self) -> float:
        """Longer side of its box in pixels."""
        return max(self.face.box[2:])


def read_sets(texts: Sequence[str], part: str | None) -> list[DataSet]:
    """Data sets named as ``NAME=DIR[:GROUPS]``, and of them a part named as ``FILE:PART``."""
    sets = []
    for text in texts:
        name, _, source = text.partition("=")
        folder, _, grouping = source.partition(":")
        data = DataSet.read(name, folder, grouping or None)
        if part:
            table, _, wanted = part.rpartition(":")
            data = data.part(Path(table), wanted)
        sets.append(data)
    return sets


def find_largest(data: DataSet, count: int, seed: int = 0) -> Iterator[Found]:
    """The largest face of so many images of each class; images without one are left out."""
    finder = CenterFace()
    for fake in (False, True):
        places = np.flatnonzero(data.folder.is_fake == fake).tolist()
        groups = [data.groups[place] for place in places]
        for chosen in spread_over_groups(groups, count, seed):
            try:
                image = np.asarray(read_image(data.folder.paths[places[chosen]]))
            except ImageError:
                continue
            if faces := finder.find(image):
                face = max(faces, key=lambda seen: seen.box[2] * seen.box[3])
                yield Found(data.name, f"{data.name}/{groups[chosen]}", fake, image, face)


def find_in_media(folder: Path) -> list[Found]:
    """Every face that can be judged in a folder's photographs and in a few frames of its clips.

    Names that begin with ``fake`` or ``generated`` say what is manipulated; all else is real.
    """
    finder = CenterFace()
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix not in MEDIA_SUFFIXES:
            continue
        medium = open_medium(path, path.name, Limits())
        is_photo = isinstance(medium, Photo)
        images = [medium.pixels] if is_photo else [f.pixels for f in medium.frames(FRAMES)]
        fake = path.name.startswith(("fake", "generated"))
        found += [
            Found(folder.name, f"{folder.name}/{path.name}", fake, image, face)
            for image in images
            for face in finder.find(image)
            if not measure_quality(image, face).flaw
        ]
    return found


def score_cuts(
    detector: Detector, found: Sequence[Found], cuts: dict[str, Cut], cache: Path
) -> NDArray[np.float64]:
    """``fake_probability`` of each face under each cut, shape ``(faces, cuts)``.

    NaN where a face cannot be cut in that way. Scores are kept by the pixels that were cut.
    """
    scores = np.full((len(found), len(cuts)), np.nan)
    preprocessing = detector.info.preprocessing
    with PredictionCache(cache, detector.sha256, "cut") as known:

        def score(number: int) -> None:
            for column, cut in enumerate(cuts.values()):
                pixels = cut(found[number].image, found[number].face)
                if pixels is None:
                    continue
                key = hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()
                value = known.get(key)
                if value is None:
                    resized = preprocessing.resize(Image.fromarray(pixels))[None]
                    value = float(detector.fake_probabilities(preprocessing.scale(resized))[0])
                    known.add(key, value)
                scores[number, column] = value

        with ThreadPoolExecutor(cores()) as pool:
            for done, _ in enumerate(pool.map(score, range(len(found))), start=1):
                print(f"\r{detector.name}: {done} of {len(found)} faces", end="", file=sys.stderr)
    print(file=sys.stderr)
    return scores
