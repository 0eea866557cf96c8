"""What a training image looks like to the network: framed, blended, and worn, by chance.

A view is drawn from its number alone. Both classes of a set are framed and worn alike, so that
neither the framing nor the resolution of a source, nor a compression, tells the class.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mesonet.faces import Box
from mesonet.images.blending import Blending
from mesonet.preprocessing import Pixels

WHOLE = 0.35
WIDENED = 0.3
SCALES = (1.0, 2.0)
_FILTERS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


@dataclass(frozen=True, slots=True)
class Framed:
    """A square around a face, or the whole image.

    Attributes:
        image: RGB pixels 0..255 of shape ``(height, width, 3)``.
        face: half width and half height of the face, as shares of the image.
    """

    image: Pixels
    face: tuple[float, float]


def frame(image: Pixels, box: Box | None, rng: np.random.Generator) -> Framed:
    """Cut a square of 1.0 to 2.0 times the face, shifted a little, or take all there is.

    The sets are cut closely, so that some images are widened by their mirror image first.
    """
    height, width = image.shape[:2]
    if box is None:
        return Framed(image, (0.36, 0.46))
    left, top, box_width, box_height = box
    if rng.random() < WHOLE:
        return Framed(image, (box_width / width / 2, box_height / height / 2))
    longer = max(box_width, box_height)
    if rng.random() < WIDENED:
        margin = int(longer * rng.uniform(0.1, 0.5))
        image = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), "reflect")
        left, top, height, width = left + margin, top + margin, *image.shape[:2]
    side = int(min(longer * rng.uniform(*SCALES), height, width))
    shift = rng.uniform(-0.08, 0.08, 2) * longer
    x = int(np.clip(left + box_width / 2 - side / 2 + shift[0], 0, width - side))
    y = int(np.clip(top + box_height / 2 - side / 2 + shift[1], 0, height - side))
    cut = image[y : y + side, x : x + side]
    return Framed(cut, (box_width / side / 2, box_height / side / 2))


def resize(image: Pixels, size: int) -> Pixels:
    """Bring an image to ``(size, size, 3)``, without aliasing."""
    shrinks = min(image.shape[:2]) > size
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (size, size), interpolation=way), np.uint8)


def wear(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Mirror and light an image; often lower its resolution, compress it, blur it or add noise."""
    if rng.random() < 0.5:
        image = image[:, ::-1]
    contrast, light = rng.uniform(0.85, 1.15), rng.uniform(-15, 15)
    table = (np.arange(256)[:, None] - 128.0) * contrast + 128 + light + rng.uniform(-8, 8, 3)
    image = cv2.LUT(np.ascontiguousarray(image), np.clip(table, 0, 255).astype(np.uint8)[None])
    if rng.random() < 0.45:
        return np.asarray(image, np.uint8)
    size = image.shape[0]
    if rng.random() < 0.5:
        small = int(size * rng.uniform(0.35, 1))
        down, up = rng.choice(_FILTERS, 2)
        image = cv2.resize(image, (small, small), interpolation=int(down))
        image = cv2.resize(image, (size, size), interpolation=int(up))
    if rng.random() < 0.15:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.5))
    if rng.random() < 0.1:
        noise = rng.normal(0, rng.uniform(1, 8), image.shape)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        _, encoded = cv2.imencode(
            ".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))]
        )
        image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return np.asarray(image, np.uint8)


def draw(
    image: Pixels,
    box: Box | None,
    size: int,
    seed: tuple[int, ...],
    *,
    source: tuple[Pixels, Box | None] | None = None,
) -> Pixels:
    """Draw a view of an image, or of a forgery blended from it.

    Args:
        image: RGB pixels 0..255 of shape ``(height, width, 3)``.
        box: its face, None where none was found.
        size: side of the view in pixels.
        seed: numbers that the view depends on; the blended view and the plain one of the same
            numbers differ in nothing but the blending.
        source: an image and its face, framed alike, to blend into it; the image itself gives a
            self-blended one (Shiohara & Yamasaki, CVPR 2022, arXiv 2204.08376).

    Returns:
        RGB pixels 0..255 of shape ``(size, size, 3)``.
    """
    rng = np.random.default_rng(seed)
    framed = frame(image, box, rng)
    picture = resize(framed.image, size)
    if source is not None:
        blending = Blending(smoothed=0.35, face=framed.face)
        other = None
        if not np.array_equal(source[0], image):
            other = resize(frame(*source, np.random.default_rng(seed)).image, size)
        _, picture, _ = blending(picture, np.random.default_rng((*seed, 1)), other)
    return wear(picture, rng)
