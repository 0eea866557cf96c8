"""Where a score came from; not where the forgery is.

Every method works without gradients, on the CPU, with every runtime. One is offered for a model
only where it passed the exam of ``mesonet benchmark --explain`` on that model.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mesonet.detector import Detector
from mesonet.explanations.exam import Exam, exam_path, read_exam
from mesonet.explanations.face_crop import FaceCrop, Map, fake_log_odds
from mesonet.explanations.occlusion import occlusion_map
from mesonet.explanations.reciprocam import has_feature_map, reciprocam_map
from mesonet.explanations.regions import Regions, measure_regions, region_masks, regions_map
from mesonet.explanations.rise import rise_map

CAPTION = "Where the score came from, not where the forgery is."

__all__ = [
    "CAPTION",
    "METHODS",
    "Exam",
    "FaceCrop",
    "Map",
    "Method",
    "Regions",
    "exam_path",
    "explain",
    "fake_log_odds",
    "measure_regions",
    "offered",
    "read_exam",
    "region_masks",
    "usable",
]


@dataclass(frozen=True, slots=True)
class Method:
    """A way to explain a score.

    Attributes:
        title: what pages call it.
        apply: gives the map.
        usable: whether it works with a detector, whatever it is worth.
        slow: whether it takes many seconds; only done where it is asked for.
        needs_landmarks: whether it needs to know where eyes, nose and mouth are.
    """

    title: str
    apply: Callable[[Detector, FaceCrop], Map]
    usable: Callable[[Detector], bool] = lambda _: True
    slow: bool = False
    needs_landmarks: bool = False


METHODS: dict[str, Method] = {
    "regions": Method("by region", regions_map, needs_landmarks=True),
    "occlusion": Method("occlusion", occlusion_map),
    "reciprocam": Method("ReciproCAM", reciprocam_map, usable=has_feature_map),
    "rise": Method("RISE", rise_map, slow=True),
}


def usable(detector: Detector) -> list[str]:
    """Names of the methods that work with a detector."""
    return [name for name, method in METHODS.items() if method.usable(detector)]


def offered(detector: Detector) -> list[str]:
    """Names of the methods that passed their exam on a detector, the best first."""
    return [name for name in read_exam(detector.scored_files).passed if name in METHODS]


def explain(detector: Detector, face: FaceCrop, method: str) -> Map:
    """Say where a face's score came from.

    Raises:
        ValueError: an unknown method, or one that does not work here.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; there are {', '.join(METHODS)}")
    return METHODS[method].apply(detector, face)
