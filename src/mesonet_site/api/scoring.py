"""Scoring uploaded images within the limits of the settings."""

import threading
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from django.conf import settings

from classifiers.loading import get_detector
from classifiers.models import MLModel
from mesonet.detector import Verdict
from mesonet.errors import ImageError
from mesonet.images.reading import load_image
from mesonet.runtime import cores

_decoding = threading.Semaphore(cores())
"""Bounds the memory of images that are decoded at the same time."""


def score(
    model: MLModel,
    images: Sequence[tuple[str, BinaryIO]],
    threshold: float,
    layers: Sequence[int] = (),
    band: Sequence[float] | None = None,
) -> list[dict[str, Any]]:
    """Score images and draw convolutional layers.

    Args:
        model: the model.
        images: name and content of each.
        threshold: from this ``fake_probability`` on an image is called a deepfake.
        layers: indices of convolutional layers, from 0.
        band: from its first ``fake_probability`` to below its second an image is uncertain.

    Returns:
        One result per image: its ``name``, and either ``label``, ``probability``,
        ``fake_probability``, ``raw_score`` and ``plots``, or an ``error``.
    """
    detector = get_detector(model)
    results = [_result(name) for name, _ in images]
    pixels, readable = [], []
    for result, (name, file) in zip(results, images, strict=True):
        try:
            with _decoding:
                pixels.append(
                    load_image(
                        file,
                        detector.info.preprocessing,
                        name=name,
                        max_pixels=settings.MAX_IMAGE_PIXELS,
                        max_bytes=settings.MAX_IMAGE_BYTES,
                    )
                )
            readable.append(result)
        except ImageError as error:
            result["error"] = error.reason
    if not readable:
        return results
    prepared = detector.info.preprocessing.scale(np.stack(pixels))
    raw = detector.raw_scores(prepared)
    scores = zip(raw.tolist(), detector.info.calibrated(raw).tolist(), strict=True)
    plots = model.visualize_conv_layers(prepared, layers) if layers else [[]] * len(raw)
    for result, (raw_score, fake_probability), urls in zip(readable, scores, plots, strict=True):
        if not np.isfinite(raw_score):
            result["error"] = "the model gives no number for it"
            continue
        verdict = Verdict(
            path=result["name"],
            fake_probability=fake_probability,
            threshold=threshold,
            model=model.model_name,
            raw_score=raw_score,
            band=(band[0], band[1]) if band else None,
        )
        result |= {
            "label": verdict.label,
            "probability": verdict.probability,
            "fake_probability": fake_probability,
            "raw_score": raw_score,
            "plots": list(urls),
        }
    return results


def _result(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": None,
        "probability": None,
        "fake_probability": None,
        "raw_score": None,
        "plots": [],
        "error": None,
    }
