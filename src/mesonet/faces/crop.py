"""Cutting faces: one function for what is served and for what is trained on."""

import numpy as np
from numpy.typing import NDArray

from mesonet.faces.face import Face

SCALE = 1.3


def crop_face(image: NDArray[np.uint8], face: Face, scale: float = SCALE) -> NDArray[np.uint8]:
    """Cut a square around a face, at the picture's own resolution.

    The square is centred on the box. Where it sticks out of the picture it is shifted inside;
    where it is larger than the picture's shorter side it shrinks to that side. So nothing is
    stretched, and no pixel is made up.

    Args:
        image: RGB pixels 0..255 of shape ``(height, width, 3)``.
        face: a face in it.
        scale: side of the square, in longer sides of the face's box.

    Returns:
        Pixels of shape ``(side, side, 3)``, a copy.
    """
    x, y, side = crop_square(image.shape[:2], face, scale)
    return image[y : y + side, x : x + side].copy()


def crop_square(shape: tuple[int, ...], face: Face, scale: float = SCALE) -> tuple[int, int, int]:
    """Left, top and side of the square that `crop_face` cuts from a picture of that shape."""
    height, width = shape
    left, top, box_width, box_height = face.box
    side = max(1, min(round(scale * max(box_width, box_height)), height, width))
    x = min(max(round(left + box_width / 2 - side / 2), 0), width - side)
    y = min(max(round(top + box_height / 2 - side / 2), 0), height - side)
    return x, y, side
