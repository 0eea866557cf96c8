"""By region: how much the score falls when eyes, nose, mouth, skin, ... are hidden."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from mesonet.detector import Detector
from mesonet.explanations.face_crop import FaceCrop, Map, fake_log_odds
from mesonet.explanations.hiding import Mask, hide

NAMES = ("eyes", "nose", "mouth", "skin", "border", "background")

# In distances between the eyes
_EYE = (0.42, 0.28)
_NOSE = (0.32, 0.45)
_MOUTH = (0.25, 0.3)  # beyond the corners, and half the height
_FACE = (1.0, 1.35)
_INNER, _OUTER = 0.85, 1.2  # the border's ring, in half axes of the face
_WORTH_NAMING = 0.1


@dataclass(frozen=True, slots=True)
class Regions:
    """What hiding each region takes off the score.

    Attributes:
        falls: by region, the network's log odds of manipulation with everything seen less those
            with the region hidden. Below 0: hiding it made the face more suspicious.
    """

    falls: dict[str, float]

    @property
    def shares(self) -> dict[str, float]:
        """Share of each region in all falls above 0, 0..1, largest first."""
        carried = {name: max(fall, 0.0) for name, fall in self.falls.items()}
        total = sum(carried.values())
        if not total:
            return dict.fromkeys(carried, 0.0)
        return {
            name: carried[name] / total
            for name in sorted(carried, key=carried.get, reverse=True)  # type: ignore[arg-type]
        }

    @property
    def text(self) -> str:
        """What carried the score, in words and percent."""
        named = [
            f"{name} {share:.0%}" for name, share in self.shares.items() if share >= _WORTH_NAMING
        ]
        if not named:
            return "No single region carried the score: hiding any of them does not lower it."
        return f"What the score came from: {', '.join(named)}."

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {"falls": self.falls, "shares": self.shares, "text": self.text}


def region_masks(face: FaceCrop) -> dict[str, Mask]:
    """Where the regions are, by `NAMES`: 1 inside, 0 outside, shape ``(size, size)``.

    Raises:
        ValueError: the face has no landmarks.
    """
    if face.landmarks is None:
        raise ValueError("regions need a face's landmarks")
    left, right, nose, mouth_left, mouth_right = face.landmarks
    between = (left + right) / 2
    across = right - left
    unit = max(float(np.hypot(*across)), 1.0)
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    mouth = (mouth_left + mouth_right) / 2
    half_mouth = float(np.hypot(*(mouth_right - mouth_left))) / 2

    def ellipse(centre: Map, width: float, height: float) -> Mask:
        mask = np.zeros((face.size, face.size), np.float32)
        axes = max(1, round(width * unit)), max(1, round(height * unit))
        place = round(float(centre[0])), round(float(centre[1]))
        cv2.ellipse(mask, place, axes, angle, 0, 360, 1.0, -1)
        return mask

    eyes = np.maximum(ellipse(left, *_EYE), ellipse(right, *_EYE))
    nose_mask = ellipse(nose + 0.3 * (between - nose), *_NOSE)
    mouth_mask = ellipse(mouth, half_mouth / unit + _MOUTH[0], _MOUTH[1])
    middle = between + 0.45 * (mouth - between)
    inner, outer = (ellipse(middle, part * _FACE[0], part * _FACE[1]) for part in (_INNER, _OUTER))
    nose_mask *= 1 - eyes
    mouth_mask *= (1 - eyes) * (1 - nose_mask)
    parts = np.maximum.reduce([eyes, nose_mask, mouth_mask])
    masks = (
        eyes,
        nose_mask,
        mouth_mask,
        inner * (1 - parts),
        outer * (1 - inner) * (1 - parts),
        (1 - outer) * (1 - parts),
    )
    return dict(zip(NAMES, masks, strict=True))


def measure_regions(detector: Detector, face: FaceCrop) -> Regions:
    """Hide one region after the other by its surroundings, and see what the score loses.

    Raises:
        ValueError: the face has no landmarks.
    """
    masks = region_masks(face)
    pictures = [face.pixels, *(hide(face.pixels, mask) for mask in masks.values())]
    seen, *hidden = fake_log_odds(detector, pictures).tolist()
    return Regions({name: seen - odds for name, odds in zip(masks, hidden, strict=True)})


def regions_map(detector: Detector, face: FaceCrop) -> Map:
    """The same as a map: every pixel has its region's fall."""
    falls = measure_regions(detector, face).falls
    masks = region_masks(face)
    return np.asarray(sum(falls[name] * mask for name, mask in masks.items()), np.float32)
