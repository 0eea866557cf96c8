"""Every image of a folder, read once: its facts, its fingerprints and a small copy."""

import hashlib
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mesonet.audit.facts import Facts, read_facts
from mesonet.errors import ImageError
from mesonet.images.reading import read_image
from mesonet.parallel import cores, map_ahead
from mesonet.progress import Progress

GREY_SIZE = 128
Ints = NDArray[np.int64]
COLOUR_SIZE = 32
_AHEAD = 64


@dataclass(frozen=True, slots=True)
class SurveyedImage:
    """What is kept of one image.

    Attributes:
        facts: what the file says of itself.
        file_hash: equal for equal files.
        pixel_hash: equal for equal decoded pictures, upright and in RGB.
        colours: small RGB copy, uint8, shape ``(32, 32, 3)``, its aspect ratio not kept.
        grey: small grey copy, uint8, shape ``(128, 128)``, likewise.
    """

    facts: Facts
    file_hash: bytes
    pixel_hash: bytes
    colours: NDArray[np.uint8]
    grey: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Survey:
    """What is kept of many images.

    Attributes:
        unreadable: what is wrong with those that could not be read.
        readable: mask of the others among the paths, shape ``(paths,)``; what follows is theirs.
        facts: what the files say of themselves, ``n``.
        file_hashes: ``n``.
        pixel_hashes: ``n``.
        colours: small RGB copies, uint8, shape ``(n, 32, 32, 3)``.
        greys: small grey copies, uint8, shape ``(n, 128, 128)``; they lie in a temporary file.
    """

    unreadable: list[ImageError]
    readable: NDArray[np.bool_]
    facts: list[Facts]
    file_hashes: list[bytes]
    pixel_hashes: list[bytes]
    colours: NDArray[np.uint8]
    greys: NDArray[np.uint8]


def survey_image(path: Path) -> SurveyedImage | ImageError:
    """Read one image file, or say what is wrong with it."""
    try:
        image = read_image(path)
        data = path.read_bytes()
    except ImageError as error:
        return ImageError(error.path, error.reason)  # without the traceback, which holds the file
    except OSError as error:
        return ImageError(str(path), error.strerror or "unreadable")
    pixels = hashlib.sha256(f"{image.width} x {image.height}".encode())
    pixels.update(image.tobytes())
    colours = image.resize((COLOUR_SIZE, COLOUR_SIZE), Image.Resampling.BOX)
    grey = image.convert("L").resize((GREY_SIZE, GREY_SIZE), Image.Resampling.BOX)
    return SurveyedImage(
        facts=read_facts(data),
        file_hash=hashlib.sha256(data).digest(),
        pixel_hash=pixels.digest(),
        colours=np.asarray(colours),
        grey=np.asarray(grey),
    )


def survey(paths: Sequence[Path], progress: Progress | None = None) -> Survey:
    """Read every image once, on all cores.

    About 4 KB of memory is kept for each image, and 16 KB in a temporary file.
    """
    shape = (max(len(paths), 1), GREY_SIZE, GREY_SIZE)
    with tempfile.TemporaryFile() as file:
        greys = np.memmap(file, np.uint8, "w+", shape=shape)
    colours = np.empty((len(paths), COLOUR_SIZE, COLOUR_SIZE, 3), np.uint8)
    readable = np.zeros(len(paths), bool)
    unreadable: list[ImageError] = []
    facts: list[Facts] = []
    file_hashes: list[bytes] = []
    pixel_hashes: list[bytes] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, on damaged metadata
        for index, image in enumerate(map_ahead(survey_image, paths, cores(), _AHEAD)):
            if isinstance(image, ImageError):
                unreadable.append(image)
            else:
                greys[len(facts)] = image.grey
                colours[len(facts)] = image.colours
                readable[index] = True
                facts.append(image.facts)
                file_hashes.append(image.file_hash)
                pixel_hashes.append(image.pixel_hash)
            if progress:
                progress(index + 1, len(paths))
    count = len(facts)
    return Survey(
        unreadable, readable, facts, file_hashes, pixel_hashes, colours[:count], greys[:count]
    )
