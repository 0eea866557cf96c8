"""Forgeries for training, made of real faces alone.

Self-blended images follow Shiohara & Yamasaki, CVPR 2022 (arXiv 2204.08376): a face is blended
with a slightly changed copy of itself, so that only the traces of blending tell it from a real
one. There are no landmarks here: masks are random hulls where a face in a crop has its parts.
As in Face X-ray (Li et al., CVPR 2020, arXiv 1912.13458), another person's face may be the source.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mesonet.errors import ArgumentError
from mesonet.preprocessing import Pixels

Mask = NDArray[np.float32]

# Centre and half axes of ellipses, as shares of half the face's width and height
_SHAPES: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "face": ((0.0, 0.05, 0.85, 0.9),),
    "inner": ((0.0, 0.1, 0.65, 0.7),),
    "lower": ((0.0, 0.45, 0.7, 0.5),),
    "eyes": ((-0.4, -0.2, 0.33, 0.2), (0.4, -0.2, 0.33, 0.2)),
    "left eye": ((-0.4, -0.2, 0.33, 0.2),),
    "right eye": ((0.4, -0.2, 0.33, 0.2),),
    "nose": ((0.0, 0.12, 0.27, 0.35),),
    "mouth": ((0.0, 0.52, 0.42, 0.22),),
    "eyes and nose": ((0.0, -0.02, 0.75, 0.4),),
    "nose and mouth": ((0.0, 0.32, 0.45, 0.5),),
}
_DOWN = (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC)
_UP = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
_RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Blending:
    """How forgeries are blended from real faces in training.

    Attributes:
        share: forgeries made for each real image, 0..1.
        others: share of the forgeries whose source is another real image instead of a changed
            copy, 0..1.
        smoothed: share of the forgeries whose source has lost its fine detail, as faces that a
            network made often have, 0..1.
        face: half width and half height of the face in the crop, as shares of the image.
    """

    share: float = 0.5
    others: float = 0.0
    smoothed: float = 0.0
    face: tuple[float, float] = (0.36, 0.46)

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in (self.share, self.others, self.smoothed)):
            raise ArgumentError("share, others and smoothed must lie in 0..1")

    def __call__(
        self, image: Pixels, rng: np.random.Generator, other: Pixels | None = None
    ) -> tuple[Pixels, Pixels, Mask]:
        """Make a pair of a real image and a forgery of it.

        Args:
            image: a real face, shape ``(height, width, 3)``.
            rng: where the choices are drawn.
            other: another real face of the same shape, to take parts of; by default the face
                itself is the source.

        Returns:
            The real image, which may be changed in colour or sharpness as a whole so that these
            changes do not give the class away; the forgery; and the mask of shape ``(height,
            width)``, 0 where both are equal, 1 in the middle of what was blended in.
        """
        source = image if other is None else _match_colours(other, image)
        target = image
        if rng.random() < self.smoothed:
            source = _smooth(source, rng)
        elif rng.random() < 0.5:
            source = _change(source, rng)
        else:
            target = _change(target, rng)
        mask = _mask(image.shape[:2], self.face, rng)
        source, mask = _move(source, mask, rng)
        mask = _soften(_deform(mask, rng), rng)
        weight = mask[..., None] * rng.choice(_RATIOS)
        blend = source * weight + target * (1 - weight)
        return target, np.clip(blend.round(), 0, 255).astype(np.uint8), mask

    def disguise(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Change a forgery of the training set as often as the real images of pairs.

        Else colours that are a little off, or sharpness, would mark an image as real.
        """
        changed = self.share * (1 - self.smoothed) / 2
        return _change(image, rng) if rng.random() < changed else image


def _change(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Shift colours a little, then lower the resolution or sharpen."""
    height, width = image.shape[:2]
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.int16)
    hsv += rng.integers((-6, -13, 0), (7, 14, 1), dtype=np.int16)
    hsv[..., 0] %= 180
    rgb = cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    values = np.arange(256)[:, None] - 128.0
    table = values * rng.uniform(0.9, 1.1) + 128 + rng.uniform(-13, 13) + rng.uniform(-15, 15, 3)
    changed = cv2.LUT(rgb, np.clip(table, 0, 255).round().astype(np.uint8)[None])
    if rng.random() < 0.5:
        factor = rng.choice((2, 4))
        small = cv2.resize(
            changed,
            (max(width // factor, 1), max(height // factor, 1)),
            interpolation=int(rng.choice(_DOWN)),
        )
        changed = cv2.resize(small, (width, height), interpolation=int(rng.choice(_UP)))
    else:
        smooth = cv2.GaussianBlur(changed, (0, 0), 1.5)
        amount = rng.uniform(0.2, 0.5)
        changed = cv2.addWeighted(changed, 1 + amount, smooth, -amount, 0)
    return np.asarray(changed, np.uint8)


def _smooth(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Take the fine detail away, by a filter that keeps edges or by enlarging a smaller image."""
    way = rng.choice(("bilateral", "median", "enlarged", "enlarged, bilateral"))
    if way == "bilateral":
        size, colours, space = rng.choice((5, 7, 9)), rng.uniform(20, 60), rng.uniform(2, 5)
        return np.asarray(cv2.bilateralFilter(image, int(size), colours, space), np.uint8)
    if way == "median":
        return np.asarray(cv2.medianBlur(image, int(rng.choice((3, 5)))), np.uint8)
    height, width = image.shape[:2]
    factor = rng.uniform(1.8, 4.5)
    size = max(round(width / factor), 1), max(round(height / factor), 1)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if way == "enlarged, bilateral":
        small = cv2.bilateralFilter(small, 5, 25, 2)
    enlarged = cv2.resize(small, (width, height), interpolation=int(rng.choice(_UP)))
    return np.asarray(enlarged, np.uint8)


def _match_colours(source: Pixels, target: Pixels) -> Pixels:
    """Give a face the mean and deviation of another's colours, judged by the middle of both."""
    height, width = target.shape[:2]
    middle = np.s_[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    mean, std = (f(source[middle], axis=(0, 1), dtype=np.float32) for f in (np.mean, np.std))
    goal, spread = (f(target[middle], axis=(0, 1), dtype=np.float32) for f in (np.mean, np.std))
    gain = np.clip(spread / np.maximum(std, 1), 0.5, 2)
    table = (np.arange(256)[:, None] - mean) * gain + goal
    return np.asarray(cv2.LUT(source, np.clip(table, 0, 255).round().astype(np.uint8)[None]))


def _mask(shape: tuple[int, int], face: tuple[float, float], rng: np.random.Generator) -> Mask:
    """A random hull over one or several parts of the face: 1 inside, 0 outside."""
    height, width = shape
    mask = np.zeros(shape, np.float32)
    centre = np.array([width, height]) * rng.uniform(0.46, 0.54, 2)
    half = np.array([width, height]) * face * rng.uniform(0.8, 1.1)
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    for x, y, a, b in _SHAPES[str(rng.choice(list(_SHAPES)))]:
        radii = rng.uniform(0.8, 1.2, (len(angles), 1))
        circle = np.column_stack([np.cos(angles), np.sin(angles)]) * radii
        points = centre + half * ((x, y) + circle * (a, b))
        cv2.fillConvexPoly(mask, cv2.convexHull(points.round().astype(np.int32)), 1.0)
    return mask


def _move(source: Pixels, mask: Mask, rng: np.random.Generator) -> tuple[Pixels, Mask]:
    """Shift and scale a source and its mask together."""
    height, width = mask.shape
    scale = rng.uniform(0.95, 1.05)
    shift = rng.uniform(-1, 1, 2) * (0.03 * width, 0.015 * height)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, scale)
    matrix[:, 2] += shift
    moved = cv2.warpAffine(source, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    moved_mask = cv2.warpAffine(mask, matrix, (width, height))
    return np.asarray(moved, np.uint8), np.asarray(moved_mask, np.float32)


def _deform(mask: Mask, rng: np.random.Generator) -> Mask:
    """Bend a mask elastically."""
    height, width = mask.shape
    coarse = rng.uniform(-1, 1, (5, 5, 2)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    field *= np.float32(rng.uniform(0, 0.05)) * np.array([width, height], np.float32)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.asarray(cv2.remap(mask, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR))


def _soften(mask: Mask, rng: np.random.Generator) -> Mask:
    """Blur a mask, shrink it inwards and blur again, up to a largest value of 1."""
    first, second = rng.uniform(0.005, 0.025, 2) * mask.shape[0]
    blurred = cv2.GaussianBlur(mask, (0, 0), first)
    shrunk = cv2.GaussianBlur(np.where(blurred < 0.9, 0, blurred), (0, 0), second)
    mask = shrunk if shrunk.max() > 0 else blurred
    return np.asarray(mask / mask.max(), np.float32)
