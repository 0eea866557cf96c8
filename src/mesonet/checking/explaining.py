"""Saying where a person's score came from, by what passed its exam on the model."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mesonet.checking.record import Explanation, SeenFace
from mesonet.detector import Detector
from mesonet.explanations import (
    CAPTION,
    METHODS,
    FaceCrop,
    Map,
    explain,
    measure_regions,
    offered,
)

NONE_PASSED = "no explanation is given: none passed its exam on this model"
NOT_CALLED = (
    "no explanation is given: the score is below the model's threshold, and the exam was about "
    "faces above it"
)

_HEAT = 0.45


def explain_face(
    detector: Detector, photo: NDArray[np.uint8], seen: SeenFace
) -> tuple[tuple[Explanation, ...], dict[str, NDArray[np.uint8]]]:
    """Explain a face by region and by the best map, where the detector offers them.

    Args:
        detector: scored it.
        photo: RGB pixels 0..255 of shape ``(height, width, 3)``.
        seen: the face in it.

    Returns:
        What was found, and pictures of the maps by method: the face under its heat.
    """
    face = FaceCrop.cut(detector, photo, seen.as_face())
    found: list[Explanation] = []
    maps: dict[str, NDArray[np.uint8]] = {}
    for name in offered(detector):
        method = METHODS[name]
        if method.slow or (method.needs_landmarks and face.landmarks is None):
            continue
        if name == "regions":
            regions = measure_regions(detector, face)
            text = f"{regions.text} {CAPTION}"
            found.append(Explanation(name, method.title, text, regions.shares))
        elif not maps:
            maps[name] = _heated(face, explain(detector, face, name))
            found.append(Explanation(name, method.title, CAPTION))
    return tuple(found), maps


def _heated(face: FaceCrop, found: Map) -> NDArray[np.uint8]:
    """The face with what is above 0 in the colours of heat, and the rest as it is."""
    heat = np.maximum(found, 0)
    share = heat / max(float(heat.max()), 1e-9)
    levels = (255 * share).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    weight = _HEAT * np.minimum(2 * share, 1)[..., None]
    return np.asarray(weight * colours + (1 - weight) * face.pixels, np.uint8)
