import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mesonet.detector import Detector
from mesonet.explanations import (
    METHODS,
    FaceCrop,
    exam_path,
    explain,
    measure_regions,
    offered,
    region_masks,
    usable,
)
from mesonet.explanations.hiding import hide
from mesonet.faces import Face
from mesonet.files import file_hash
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing

SIZE = 64
LANDMARKS = np.array([(22, 26), (42, 26), (32, 36), (25, 44), (39, 44)], np.float32)


def detector(score, path: Path = Path("stub.keras")) -> Detector:  # type: ignore[no-untyped-def]
    """One whose fake score is what a function says of pixels 0..1."""
    info = ModelInfo(None, Preprocessing(size=SIZE), ("fake", "real"), threshold=0.5)

    def run(images: np.ndarray) -> np.ndarray:
        return np.array([1 - score(image) for image in images], np.float32)

    return Detector("stub", info, run, model_path=path)


def redness(image: np.ndarray) -> float:
    """Share of the picture that is red, as a score."""
    red = (image[..., 0] - image[..., 1:].max(axis=-1)).clip(0).mean()
    return float(np.clip(0.02 + 20 * red, 0, 0.98))


@pytest.fixture
def face() -> FaceCrop:
    """A grey face with a red mouth."""
    pixels = np.full((SIZE, SIZE, 3), 120, np.uint8)
    cv2.ellipse(pixels, (32, 44), (8, 4), 0, 0, 360, (220, 60, 60), -1)
    return FaceCrop(pixels, LANDMARKS)


def test_regions_cover_the_crop_once(face: FaceCrop) -> None:
    masks = region_masks(face)
    assert list(masks) == ["eyes", "nose", "mouth", "skin", "border", "background"]
    assert np.array_equal(sum(masks.values()), np.ones((SIZE, SIZE)))
    assert masks["eyes"][26, 22] == masks["nose"][35, 32] == masks["mouth"][44, 32] == 1
    assert masks["background"][0, 0] == 1


def test_region_that_carries_the_score_is_named(face: FaceCrop) -> None:
    found = measure_regions(detector(redness), face)
    assert max(found.falls, key=found.falls.get) == "mouth"  # type: ignore[arg-type]
    assert found.shares["mouth"] > 0.8
    assert sum(found.shares.values()) == pytest.approx(1)
    assert "mouth" in found.text
    assert json.dumps(found.to_dict())


def test_score_that_hangs_on_nothing_has_no_region(face: FaceCrop) -> None:
    found = measure_regions(detector(lambda image: 0.9), face)
    assert set(found.shares.values()) == {0}
    assert "No single region" in found.text


def test_regions_need_landmarks(face: FaceCrop) -> None:
    with pytest.raises(ValueError, match="landmarks"):
        region_masks(FaceCrop(face.pixels))


@pytest.mark.parametrize("method", ["regions", "occlusion", "rise"])
def test_maps_point_at_what_the_score_comes_from(face: FaceCrop, method: str) -> None:
    found = explain(detector(redness), face, method)
    assert found.shape == (SIZE, SIZE)
    assert found.dtype == np.float32
    row, column = np.unravel_index(int(found.argmax()), found.shape)
    assert region_masks(face)["mouth"][row, column] == 1


def test_hiding_changes_only_what_is_covered(face: FaceCrop) -> None:
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[36:52, 20:44] = 1
    hidden = hide(face.pixels, mask)
    assert np.array_equal(hidden[:30], face.pixels[:30])
    assert abs(hidden[44, 32].astype(int) - 120).max() < 15


def test_everything_hidden_is_no_crash(face: FaceCrop) -> None:
    assert hide(face.pixels, np.ones((SIZE, SIZE), np.float32)).shape == face.pixels.shape


def test_landmarks_follow_the_crop() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    points = ((110, 90), (150, 90), (130, 110), (115, 130), (145, 130))
    cut = FaceCrop.cut(detector(redness), image, Face((100, 70, 60, 80), 0.9, points))
    assert cut.landmarks is not None
    side = round(1.3 * 80)
    assert cut.landmarks[2] == pytest.approx((SIZE / 2, SIZE / 2), abs=2)
    spread = cut.landmarks[1, 0] - cut.landmarks[0, 0]
    assert spread == pytest.approx(40 * SIZE / side, abs=0.1)


def test_unknown_method_is_refused(face: FaceCrop) -> None:
    with pytest.raises(ValueError, match="unknown method 'magic'; there are regions"):
        explain(detector(redness), face, "magic")


def test_only_what_passed_the_exam_of_these_weights_is_offered(tmp_path: Path) -> None:
    weights = tmp_path / "stub.keras"
    weights.write_bytes(b"weights")
    examined = detector(redness, weights)
    assert offered(examined) == []
    record = {"model_sha256": file_hash(weights), "passed": ["occlusion", "gone"]}
    exam_path(weights).write_text(json.dumps(record))
    assert offered(examined) == ["occlusion"]
    weights.write_bytes(b"other weights")
    assert offered(examined) == []


def test_reciprocam_finds_the_place_in_the_last_feature_map(tmp_path: Path, face: FaceCrop) -> None:
    import openvino
    from openvino import opset13 as ops

    image = ops.parameter([1, SIZE, SIZE, 3], np.float32)
    ordered = ops.transpose(image, ops.constant([0, 3, 1, 2]))
    features = ops.avg_pool(ordered, [8, 8], [0, 0], [0, 0], [8, 8], False)
    mean = ops.reduce_mean(features, ops.constant([2, 3]), False)
    weights = ops.constant(np.array([[-40.0], [20.0], [20.0]], np.float32))  # red is no "real"
    path = tmp_path / "network.xml"
    network = ops.sigmoid(ops.matmul(mean, weights, False, False))
    openvino.save_model(openvino.Model([network], [image]), path)
    examined = detector(redness, path)
    assert "reciprocam" in usable(examined)
    found = explain(examined, face, "reciprocam")
    row, column = np.unravel_index(int(found.argmax()), found.shape)
    assert region_masks(face)["mouth"][row, column] == 1


def test_meso4_has_no_map_to_look_at() -> None:
    assert usable(Detector.load("meso4")) == ["regions", "occlusion", "rise"]
    assert METHODS["rise"].slow
