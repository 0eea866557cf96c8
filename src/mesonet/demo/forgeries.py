"""Forging a face picture, to have something manipulated that nobody owns.

These are simple relatives of what face-swapping tools leave behind: a face region that was
warped, smoothed, recoloured or taken from elsewhere and blended in under a soft mask.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from mesonet.preprocessing import Pixels


def _ellipse(
    shape: tuple[int, ...], centre: tuple[float, float], axes: tuple[float, float], softness: float
) -> NDArray[np.float32]:
    """Soft mask 0..1 of shape ``(height, width, 1)``; lengths as shares of the picture."""
    height, width = shape[:2]
    mask = np.zeros((height, width), np.float32)
    middle = (round(centre[0] * width), round(centre[1] * height))
    cv2.ellipse(mask, middle, (round(axes[0] * width), round(axes[1] * height)), 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), softness * width)
    return np.asarray(soft, np.float32)[..., None]


def _blend(source: Pixels, target: Pixels, mask: NDArray[np.float32]) -> Pixels:
    mixed: NDArray[np.float32] = mask * source.astype(np.float32) + (1 - mask) * target.astype(
        np.float32
    )
    return np.asarray(np.clip(mixed.round(), 0, 255), np.uint8)


def _moved(picture: Pixels, scale: tuple[float, float], shift: tuple[float, float]) -> Pixels:
    """Scale about the middle, and shift by shares of the picture."""
    height, width = picture.shape[:2]
    matrix = np.array(
        [
            [scale[0], 0, width * ((1 - scale[0]) / 2 + shift[0])],
            [0, scale[1], height * ((1 - scale[1]) / 2 + shift[1])],
        ]
    )
    moved = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _face_mask(picture: Pixels) -> NDArray[np.float32]:
    return _ellipse(picture.shape, (0.5, 0.52), (0.24, 0.32), 0.03)


def low_resolution_swap(picture: Pixels) -> Pixels:
    """A face that was generated small, enlarged and recoloured."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // 3, height // 3), interpolation=cv2.INTER_AREA)
    face = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    face = np.clip(face * (1.04, 0.98, 0.94) + 6, 0, 255).astype(np.uint8)
    return _blend(face, picture, _face_mask(picture))


def self_blend(picture: Pixels) -> Pixels:
    """The same face, slightly scaled, shifted and recoloured, blended into itself.

    After Shiohara & Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR 2022
    (arXiv 2204.08376).
    """
    face = _moved(picture, (1.06, 0.96), (0.025, -0.015)).astype(np.float32)
    face = np.clip(face * (0.93, 1.0, 1.07), 0, 255).astype(np.uint8)
    return _blend(face, picture, _face_mask(picture))


def mirrored_face(picture: Pixels) -> Pixels:
    """A stranger's face: the mirrored one, set in under a soft mask."""
    return _blend(np.ascontiguousarray(picture[:, ::-1]), picture, _face_mask(picture))


def stretched_mouth(picture: Pixels) -> Pixels:
    """Another expression: the lower face stretched, as reenactment does."""
    mask = _ellipse(picture.shape, (0.5, 0.68), (0.17, 0.11), 0.025)
    return _blend(_moved(picture, (1.15, 1.35), (0.0, -0.06)), picture, mask)


def smoothed_face(picture: Pixels) -> Pixels:
    """Skin without texture: the face filtered while the surroundings keep their grain."""
    smooth = cv2.bilateralFilter(picture, 15, 60, 15)
    return _blend(np.asarray(smooth, np.uint8), picture, _face_mask(picture))


FORGERIES: dict[str, Callable[[Pixels], Pixels]] = {
    "low-resolution swap": low_resolution_swap,
    "self-blend": self_blend,
    "mirrored face": mirrored_face,
    "stretched mouth": stretched_mouth,
    "smoothed face": smoothed_face,
}
"""Every forger takes and gives RGB pixels 0..255 of shape ``(height, width, 3)``, the face in
the middle half of the picture."""
