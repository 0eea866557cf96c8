"""Hiding a part of a face by content that could be there.

Grey, blur and smooth fillings are forgeries themselves to a detector that knows blending: with
them the score of nearly every face rises, whatever is hidden. So what is filled in has grain, as
strong as that of the surroundings. (arXiv 2502.03957 compares fillings.)
"""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mesonet.preprocessing import Pixels

Mask = NDArray[np.float32]

_LEAST = 1e-3
_TOUCHED = 0.01
_EDGE = 1 / 128
_GRAIN = 1 / 100
_FILL_SIDE = 64


def hide(pixels: Pixels, mask: Mask) -> Pixels:
    """Fill what a mask covers by its surroundings, with noise as strong as their grain.

    Light and grain are the weighted means of what the mask leaves, the nearest first. The noise is
    the same each time.

    Args:
        pixels: RGB 0..255, shape ``(size, size, 3)``.
        mask: 1 where to hide, 0 where to keep, shape ``(size, size)``.

    Returns:
        New pixels of the same shape.
    """
    size = pixels.shape[0]
    values = pixels.astype(np.float32)
    kept = _small(mask) < _TOUCHED
    light = _large(_spread(_small(values), kept), size)
    grain = values - cv2.GaussianBlur(values, (0, 0), _GRAIN * size)
    strength = np.sqrt(np.maximum(_large(_spread(_small(grain**2), kept), size), 0))
    content = light + strength * _noise(size)
    soft = cv2.GaussianBlur(mask, (0, 0), max(_EDGE * size, 0.5))[..., None]
    mixed = soft * content + (1 - soft) * values
    return np.asarray(np.clip(mixed.round(), 0, 255), np.uint8)


@cache
def _noise(size: int) -> NDArray[np.float32]:
    """Grey noise of mean 0 and deviation 1, without what is coarser than grain."""
    white = np.random.default_rng(0).standard_normal((size, size), np.float32)
    fine = cv2.GaussianBlur(white, (0, 0), 0.8)
    fine -= cv2.GaussianBlur(fine, (0, 0), _GRAIN * size)
    return np.asarray(fine / fine.std(), np.float32)[..., None]


def _small(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(values, (_FILL_SIDE, _FILL_SIDE), interpolation=cv2.INTER_AREA))


def _large(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(values, (size, size), interpolation=cv2.INTER_CUBIC))


def blurred(pixels: Pixels) -> Pixels:
    """Everything hidden: only the large lights and shades are left."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), pixels.shape[0] / 16), np.uint8)


def _spread(values: NDArray[np.float32], kept: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Normalised convolution (Knutsson & Westin, CVPR 1993) by ever wider Gaussians."""
    weights = kept.astype(np.float32)
    known = values * weights[..., None]
    result = known.copy()
    open_ = ~kept
    sigma = 1.0
    while open_.any() and sigma < 2 * _FILL_SIDE:
        weight = cv2.GaussianBlur(weights, (0, 0), sigma)
        near = open_ & (weight > _LEAST)
        result[near] = cv2.GaussianBlur(known, (0, 0), sigma)[near] / weight[near, None]
        open_ &= ~near
        sigma *= 2
    result[open_] = values.mean(axis=(0, 1))
    smooth = cv2.GaussianBlur(result, (0, 0), 1.0)
    return np.where(kept[..., None], values, smooth)
