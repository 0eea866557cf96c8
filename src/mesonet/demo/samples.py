"""Sample images for the demo: a public-domain portrait and forgeries of it."""

from pathlib import Path

import numpy as np
from PIL import Image

from mesonet.demo.forgeries import FORGERIES
from mesonet.demo.report import Item
from mesonet.errors import MissingPackageError

_TOP, _LEFT, _SIDE = 30, 142, 160


def make_samples(folder: Path) -> list[Item]:
    """Write the face of scikit-image's astronaut photograph and forgeries of it.

    The photograph, of Eileen Collins, is by NASA and in the public domain.

    Raises:
        ImportError: scikit-image is not installed.
    """
    try:
        from skimage.data import astronaut
    except ImportError:
        raise MissingPackageError("the demo", "demo") from None
    portrait = astronaut()
    face = np.ascontiguousarray(portrait[_TOP : _TOP + _SIDE, _LEFT : _LEFT + _SIDE])
    samples = {"photograph": (face, False)}
    samples |= {name: (forge(face), True) for name, forge in FORGERIES.items()}
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for name, (pixels, is_fake) in samples.items():
        path = folder / f"{name.replace(' ', '-')}.png"
        Image.fromarray(pixels).save(path)
        items.append(Item(path, name, is_fake))
    return items
