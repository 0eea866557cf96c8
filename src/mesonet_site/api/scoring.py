"""Scoring uploaded images within the limits of the settings."""

import threading
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from django.conf import settings

from classifiers.loading import get_detector
from classifiers.models import MLModel
from mesonet.detector import Verdict
from mesonet.imaging import ImageError, load_image
from mesonet.runtime import cores

_decoding = threading.Semaphore(cores())
"""Bounds the memory of images that are decoded at the same time."""


def score(
    model: MLModel,
    images: Sequence[tuple[str, BinaryIO]],
    threshold: float,
    layers: Sequence[int] = (),
) -> list[dict[str, Any]]:
    """Score images and draw convolutional layers.

    Args:
        model: the model.
        images: name and content of each.
        threshold: from this ``fake_probability`` on an image is called a deepfake.
        layers: indices of convolutional layers, from 0.

    Returns:
        One result per image: its ``name``, and either ``label``, ``probability``,
        ``fake_probability`` and ``plots``, or an ``error``.
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
    scores = detector.fake_probabilities(prepared).tolist()
    plots = model.visualize_conv_layers(prepared, layers) if layers else [[]] * len(scores)
    for result, fake_probability, urls in zip(readable, scores, plots, strict=True):
        verdict = Verdict(result["name"], fake_probability, threshold, model.model_name)
        result |= {
            "label": verdict.label,
            "probability": verdict.probability,
            "fake_probability": fake_probability,
            "plots": list(urls),
        }
    return results


def _result(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": None,
        "probability": None,
        "fake_probability": None,
        "plots": [],
        "error": None,
    }
