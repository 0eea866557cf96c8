"""RISE (Petsiuk, Das & Saenko, BMVC 2018): many random halves of the face are hidden. Slow."""

from collections.abc import Iterator

import cv2
import numpy as np

from mesonet.detector import Detector
from mesonet.explanations.face_crop import FaceCrop, Map, fake_log_odds
from mesonet.explanations.hiding import Mask, blurred

_MASKS = 400
_CELLS = 7
_SEED = 0


def rise_map(detector: Detector, face: FaceCrop) -> Map:
    """Difference of the mean log odds where a pixel was seen and where it was not; 400 passes."""
    background = blurred(face.pixels).astype(np.float32)
    masks = list(_masks(face.size))
    pictures = (
        (mask[..., None] * face.pixels + (1 - mask[..., None]) * background)
        .round()
        .astype(np.uint8)
        for mask in masks
    )
    odds = fake_log_odds(detector, pictures)
    seen = np.stack(masks)
    mean_seen = np.tensordot(odds, seen, 1) / np.maximum(seen.sum(axis=0), 1e-6)
    mean_hidden = np.tensordot(odds, 1 - seen, 1) / np.maximum((1 - seen).sum(axis=0), 1e-6)
    return np.asarray(mean_seen - mean_hidden, np.float32)


def _masks(size: int) -> Iterator[Mask]:
    """Coarse random grids, enlarged and shifted at random; the same ones each time."""
    rng = np.random.default_rng(_SEED)
    cell = -(-size // _CELLS)
    for _ in range(_MASKS):
        grid = (rng.random((_CELLS + 1, _CELLS + 1)) < 0.5).astype(np.float32)
        side = (_CELLS + 1) * cell
        large = cv2.resize(grid, (side, side), interpolation=cv2.INTER_LINEAR)
        x, y = rng.integers(0, cell, 2)
        yield np.asarray(large[y : y + size, x : x + size], np.float32)
