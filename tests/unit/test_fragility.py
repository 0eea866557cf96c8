import numpy as np
import pytest
from PIL import Image

from mesonet.datasets.groups import spread_over_groups
from mesonet.detector import Detector
from mesonet.faces import Face, crop_face
from mesonet.fragility import CHANGES, Fragility, changed_faces
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing

FACE = Face((40, 40, 60, 80), 0.9)
BAND = (0.3, 0.7)


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)


def measured(score, image: np.ndarray, untouched: float) -> Fragility:  # type: ignore[no-untyped-def]
    """Fragility of a face by a detector that scores one image at a time."""
    info = ModelInfo(None, Preprocessing(size=32), ("fake", "real"), threshold=0.5)

    def run(images: np.ndarray) -> np.ndarray:
        return np.array([1 - score(image) for image in images], np.float32)

    detector = Detector("stub", info, run, model_path=None)  # type: ignore[arg-type]
    faces = [info.preprocessing.resize(Image.fromarray(f)) for f in changed_faces(image, FACE)]
    scores = detector.fake_probabilities(info.preprocessing.scale(np.stack(faces))).tolist()
    return Fragility(untouched, dict(zip(CHANGES, scores, strict=True)), BAND)


def test_changes_keep_the_face_and_little_else(image: np.ndarray) -> None:
    cut = dict(zip(CHANGES, changed_faces(image, FACE), strict=True))
    crop = crop_face(image, FACE)
    assert len(cut) == 7
    assert np.array_equal(cut["mirrored"][:, ::-1], crop)
    assert cut["crop 1.2"].shape < crop.shape < cut["crop 1.4"].shape
    for name in ("JPEG 70", "JPEG 50", "half size and back", "slightly blurred"):
        assert cut[name].shape == crop.shape
        assert not np.array_equal(cut[name], crop)


def test_steady_score_is_not_fragile(image: np.ndarray) -> None:
    found = measured(lambda pixels: 0.8, image, 0.8)
    assert not found.is_fragile
    assert found.low == pytest.approx(0.8)
    assert found.text == "None of 7 mild changes of the face moves the verdict."


def test_change_that_moves_the_verdict_is_named(image: np.ndarray) -> None:
    image[:, :70] //= 2  # the left half of the face is darker
    found = measured(
        lambda pixels: 0.9 if pixels[:, :16].mean() < pixels[:, 16:].mean() else 0.1, image, 0.9
    )
    assert found.turned_by == ("mirrored",)
    assert not found.is_fragile
    assert (found.low, found.high) == (pytest.approx(0.1), 0.9)
    assert "1 of 7 mild changes of the face moves the verdict (mirrored)" in found.text


def test_verdict_that_three_changes_move_is_fragile() -> None:
    moved = dict.fromkeys(list(CHANGES)[:3], 0.5) | dict.fromkeys(list(CHANGES)[3:], 0.9)
    found = Fragility(0.9, moved, BAND)
    assert found.is_fragile
    assert found.text.startswith("Uncertain, as 3 of 7")
    assert found.to_dict()["turned_by"] == ["JPEG 70", "JPEG 50", "half size and back"]


def test_what_is_uncertain_anyway_is_not_fragile() -> None:
    assert not Fragility(0.5, dict.fromkeys(CHANGES, 0.9), BAND).is_fragile


def test_ends_of_the_band() -> None:
    assert not Fragility(0.3, {"mirrored": 0.69}, BAND).turned_by
    assert Fragility(0.3, {"mirrored": 0.7}, BAND).turned_by
    assert Fragility(0.2, {"mirrored": 0.3}, BAND).turned_by


def test_images_are_drawn_from_many_groups() -> None:
    groups = ["a"] * 10 + ["b", "c"]
    chosen = spread_over_groups(groups, 4)
    assert {groups[index] for index in chosen} == {"a", "b", "c"}
    assert len(set(chosen.tolist())) == 4
    assert len(spread_over_groups(groups, 99)) == 12
