"""Clips: telling them from photographs, and reading frames of them within limits."""

from mesonet.media.clip import MEDIA_SUFFIXES, Clip, ClipFacts, Frame, Limits
from mesonet.media.opening import MediaSource, Photo, kind_of_medium, open_medium

__all__ = [
    "MEDIA_SUFFIXES",
    "Clip",
    "ClipFacts",
    "Frame",
    "Limits",
    "MediaSource",
    "Photo",
    "kind_of_medium",
    "open_medium",
]
