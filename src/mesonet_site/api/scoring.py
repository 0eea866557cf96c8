"""Scoring uploaded images within the limits of the settings."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from classifiers.models import MLModel
from mesonet_site.api import conf


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
    detector = model.get_detector()
    limits = {"max_pixels": conf.MAX_IMAGE_PIXELS, "max_bytes": conf.MAX_IMAGE_BYTES}
    results = [_result(name) for name, _ in images]
    scored = detector.score([file for _, file in images], threshold=threshold, **limits)
    for result, (_, file), found in zip(results, images, scored, strict=True):
        if not found.ok:
            result["error"] = found.error
            continue
        verdict = replace(found, band=(band[0], band[1]) if band else None)
        result |= {
            "label": verdict.label,
            "probability": verdict.probability,
            "fake_probability": verdict.fake_probability,
            "raw_score": verdict.raw_score,
        }
        if layers:
            file.seek(0)
            prepared = detector.prepare(file, **limits)
            result["plots"] = next(model.visualize_conv_layers(prepared[None], layers))
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
