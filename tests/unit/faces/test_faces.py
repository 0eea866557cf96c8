import csv
import hashlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage.data import astronaut, coffee

from mesonet.faces import CenterFace, Face, crop_face, measure_quality, overlap
from mesonet.faces.centerface import WEIGHTS
from mesonet.preprocessing import Pixels


@pytest.fixture(scope="module")
def finder() -> CenterFace:
    return CenterFace()


def enlarged(picture: Pixels, factor: float) -> Pixels:
    larger = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return np.asarray(larger, np.uint8)


def test_the_notice_names_the_file_that_is_there() -> None:
    notice = WEIGHTS.with_suffix(".md").read_text()
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() in notice
    assert f"{WEIGHTS.stat().st_size:,} bytes" in notice


@pytest.mark.parametrize("factor", [0.25, 1, 2.6, 5])
def test_one_face_is_found_at_any_size(finder: CenterFace, factor: float) -> None:
    (face,) = finder.find(enlarged(astronaut(), factor))
    assert overlap(face.box, tuple(factor * side for side in (179, 66, 84, 119))) > 0.6
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


@pytest.mark.parametrize("factor", [1, 2.6, 5])
def test_one_look_finds_a_large_face_too(finder: CenterFace, factor: float) -> None:
    (face,) = finder.find(enlarged(astronaut()[40:240, 120:320], factor), quick=True)
    assert overlap(face.box, tuple(factor * side for side in (59, 26, 84, 119))) > 0.6


def test_nothing_is_found_where_there_is_no_face(finder: CenterFace) -> None:
    assert finder.find(coffee()) == []
    assert finder.find(np.zeros((1, 1, 3), np.uint8)) == []
    assert finder.find(np.full((3, 900, 3), 255, np.uint8)) == []


def test_faces_lie_inside_the_picture_surest_first(finder: CenterFace) -> None:
    pair = np.hstack([astronaut(), enlarged(astronaut(), 0.5).repeat(2, 0)[:512]])
    cut = np.ascontiguousarray(pair[90:, 200:])
    faces = finder.find(cut)
    assert faces
    assert [face.score for face in faces] == sorted((f.score for f in faces), reverse=True)
    for left, top, width, height in (face.box for face in faces):
        assert left >= 0
        assert top >= 0
        assert left + width <= cut.shape[1]
        assert top + height <= cut.shape[0]


def test_threads_find_the_same(finder: CenterFace) -> None:
    pictures = [enlarged(astronaut(), factor) for factor in (0.5, 0.8, 1, 1.4)] * 3
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(finder.find, pictures)) == [finder.find(p) for p in pictures]


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    box=st.tuples(*[st.floats(0, 90)] * 2, *[st.floats(0, 120)] * 2),
    scale=st.floats(0.5, 3),
)
def test_a_crop_is_a_square_of_the_picture_own_pixels(
    height: int, width: int, box: tuple[float, float, float, float], scale: float
) -> None:
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    picture = np.stack([rows, columns, rows], axis=-1)
    crop = crop_face(picture, Face(box, 1.0), scale)
    side = crop.shape[0]
    assert crop.shape == (side, side, 3)
    assert side == max(1, min(round(scale * max(box[2:])), height, width))
    top, left = crop[0, 0, :2]
    assert np.array_equal(crop, picture[top : top + side, left : left + side])


def test_a_crop_is_centred_where_there_is_room_and_shifted_where_there_is_not() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[40:60, 90:110] = 255
    crop = crop_face(picture, Face((90, 40, 20, 20), 1.0), scale=2)
    assert crop.shape == (40, 40, 3)
    assert crop[10:30, 10:30].min() == 255
    assert crop.astype(int).sum() == picture.astype(int).sum()
    picture[:] = np.arange(200, dtype=np.uint8)[None, :, None]
    assert crop_face(picture, Face((190, 0, 10, 10), 1.0), 2)[0, :, 0].tolist() == [
        *range(180, 200)
    ]


def test_an_ordinary_face_is_good_enough_and_a_spoilt_one_is_not(finder: CenterFace) -> None:
    picture = astronaut()
    (face,) = finder.find(picture)
    assert measure_quality(picture, face).flaw is None
    dark = (picture // 8).astype(np.uint8)
    assert measure_quality(dark, face).flaw == "dark"
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 4), np.uint8)
    assert measure_quality(blurred, face).flaw == "blurred"
    small = Face((face.box[0] + 30, face.box[1] + 30, 20, 25), 1.0)
    assert measure_quality(picture, small).flaw == "face_too_small"
    flat = measure_quality(np.full((64, 64, 3), 128, np.uint8), Face((5, 5, 50, 50), 1.0))
    assert (flat.sharpness, flat.flaw) == (0, "blurred")


def test_sharpness_hardly_depends_on_light_and_size(finder: CenterFace) -> None:
    picture = enlarged(astronaut(), 2)
    (face,) = finder.find(picture)
    usual = measure_quality(picture, face).sharpness
    darker = np.asarray(picture * 0.6, np.uint8)
    assert measure_quality(darker, face).sharpness == pytest.approx(usual, rel=0.1)
    half = Face(tuple(side / 2 for side in face.box), 1.0)
    assert measure_quality(astronaut(), half).sharpness == pytest.approx(usual, rel=0.5)


@pytest.mark.shared
def test_the_faces_of_photographs_are_found(finder: CenterFace, shared: Path) -> None:
    boxes = defaultdict(list)
    with (shared / "photos" / "boxes.csv").open() as file:
        for row in csv.DictReader(file):
            box = tuple(float(row[key]) for key in ("left", "top", "width", "height"))
            boxes[row["file"]].append(box)
    found = total = 0
    for name, truth in boxes.items():
        faces = finder.find(np.asarray(Image.open(shared / "photos" / name).convert("RGB")))
        total += len(truth)
        found += sum(any(overlap(box, face.box) >= 0.4 for face in faces) for box in truth)
        assert len(faces) <= len(truth)
    assert found >= 0.9 * total
