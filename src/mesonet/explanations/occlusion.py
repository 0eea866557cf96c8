"""Occlusion (Zeiler & Fergus, ECCV 2014): a window is hidden here and there."""

from itertools import pairwise

import cv2
import numpy as np

from mesonet.detector import Detector
from mesonet.explanations.face_crop import FaceCrop, Map, fake_log_odds
from mesonet.explanations.hiding import hide

_WINDOWS = 8  # in a row; each is as wide as two steps


def occlusion_map(detector: Detector, face: FaceCrop) -> Map:
    """Mean fall of the log odds over the windows that hid a pixel; 64 passes."""
    size = face.size
    edges = np.linspace(0, size, _WINDOWS + 1).round().astype(int)
    half = (edges[1] - edges[0]) // 2
    masks = []
    for top, bottom in pairwise(edges):
        for left, right in pairwise(edges):
            mask = np.zeros((size, size), np.float32)
            mask[max(0, top - half) : bottom + half, max(0, left - half) : right + half] = 1
            masks.append(mask)
    pictures = (face.pixels, *(hide(face.pixels, mask) for mask in masks))
    seen, *hidden = fake_log_odds(detector, pictures).tolist()
    total = sum((seen - odds) * mask for odds, mask in zip(hidden, masks, strict=True))
    mean = np.asarray(total / np.maximum(sum(masks), 1), np.float32)
    return np.asarray(cv2.GaussianBlur(mean, (0, 0), size / 32), np.float32)
