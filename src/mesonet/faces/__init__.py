"""Finding the faces in a picture, cutting them out, and telling which are good enough to judge."""

from mesonet.faces.centerface import CenterFace
from mesonet.faces.crop import crop_face, crop_square
from mesonet.faces.face import Box, Face, FaceDetector, overlap
from mesonet.faces.quality import Flaw, Quality, measure_quality

__all__ = [
    "Box",
    "CenterFace",
    "Face",
    "FaceDetector",
    "Flaw",
    "Quality",
    "crop_face",
    "crop_square",
    "measure_quality",
    "overlap",
]
