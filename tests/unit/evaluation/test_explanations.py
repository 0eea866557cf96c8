"""The exam itself is examined with faces whose forged place is the only thing that is red."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.images import write_class_folders

from mesonet.detector import Detector
from mesonet.errors import DataError
from mesonet.evaluation.benchmark.models import DataSet
from mesonet.evaluation.explanations import (
    PRIOR,
    RANDOM,
    SELF_BLENDED,
    Question,
    called_fake,
    examine,
    face_prior,
    mark,
)
from mesonet.evaluation.explanations_report import render_exams
from mesonet.explanations import FaceCrop
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing

SIZE = 48


def red_detector() -> Detector:
    info = ModelInfo(None, Preprocessing(size=SIZE), ("fake", "real"), threshold=0.5)

    def run(images: np.ndarray) -> np.ndarray:
        red = (images[..., 0] - images[..., 1:].max(axis=-1)).clip(0).mean((1, 2))
        return (1 - np.clip(0.02 + 30 * red, 0, 0.98)).astype(np.float32)

    return Detector("red", info, run, model_path=Path("red.keras"))


def question(row: int, column: int, group: str) -> Question:
    pixels = np.full((SIZE, SIZE, 3), 120, np.uint8)
    mask = np.zeros((SIZE, SIZE), bool)
    mask[row : row + 10, column : column + 10] = True
    pixels[mask] = (220, 60, 60)
    return Question(SELF_BLENDED, group, FaceCrop(pixels), mask)


QUESTIONS = [question(2, 2, "a"), question(2, 34, "b"), question(34, 4, "c"), question(36, 36, "c")]


def test_map_that_points_at_the_forgery_beats_the_prior() -> None:
    told: list[int] = []
    result = examine(
        red_detector(), QUESTIONS, ["occlusion"], lambda done, total: told.append(done)
    )
    assert result["passed"] == ["occlusion"]
    figures = result["kinds"][SELF_BLENDED]
    assert (figures["count"], figures["groups"]) == (4, 3)
    assert figures["area"] == pytest.approx(100 / SIZE**2)
    methods = figures["methods"]
    assert set(methods) == {"occlusion", PRIOR, RANDOM}
    assert methods["occlusion"]["pointing"]["value"] == 1
    assert methods[PRIOR]["pointing"]["value"] == 0
    assert methods["occlusion"]["gain"] == {"value": 1, "low": 1, "high": 1}
    assert methods["occlusion"]["energy"]["value"] > methods[RANDOM]["energy"]["value"]
    assert methods["occlusion"]["deletion"]["value"] < methods[PRIOR]["deletion"]["value"]
    assert methods["occlusion"]["insertion"]["value"] > methods[PRIOR]["insertion"]["value"]
    assert told == [1, 2, 3, 4]


def test_map_that_misses_is_not_passed() -> None:
    centred = [question(19, 19, group) for group in "abc"]
    result = examine(red_detector(), centred, ["occlusion"], lambda done, total: None)
    assert result["passed"] == []
    assert result["kinds"][SELF_BLENDED]["methods"][PRIOR]["pointing"]["value"] == 1


def test_methods_that_need_landmarks_are_left_out_where_there_are_none() -> None:
    result = examine(red_detector(), QUESTIONS, ["regions"], lambda done, total: None)
    assert "regions" not in result["kinds"][SELF_BLENDED]["methods"]
    assert result["passed"] == []


def test_marks_of_the_perfect_map() -> None:
    asked = QUESTIONS[0]
    marks = mark(red_detector(), asked, asked.mask.astype(np.float32))
    assert (marks["pointing"], marks["energy"]) == (1, 1)
    assert marks["deletion"] < 1


def test_empty_map_has_no_energy() -> None:
    assert mark(red_detector(), QUESTIONS[0], np.zeros((SIZE, SIZE), np.float32))["energy"] == 0


def test_prior_is_highest_at_the_face() -> None:
    landmarks = np.array([(10, 10), (20, 10), (15, 15), (11, 20), (19, 20)], np.float32)
    found = face_prior(FaceCrop(QUESTIONS[0].face.pixels, landmarks))
    assert np.unravel_index(int(found.argmax()), found.shape) == (15, 15)


def test_call_is_that_of_the_threshold() -> None:
    assert called_fake(red_detector(), QUESTIONS[0].face)
    assert not called_fake(red_detector(), FaceCrop(np.full((SIZE, SIZE, 3), 120, np.uint8)))


def test_page_says_what_is_offered_and_shows_intervals() -> None:
    exam = examine(red_detector(), QUESTIONS, ["occlusion"], lambda done, total: None)
    page = render_exams([exam | {"model": "red", "command": "mesonet benchmark --explain 4"}])
    assert "**Offered: occlusion**" in page
    assert "| occlusion | 1.00 (1.00 to 1.00) |" in page
    assert "where the score came from, not where the forgery is." in page
    nothing = render_exams([exam | {"passed": [], "model": "red", "command": "x"}])
    assert "**No method is offered**" in nothing


def test_exam_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    weights, kept = tmp_path / "red.keras", tmp_path / "red.partial"
    weights.write_bytes(b"weights")
    seen: list[int] = []

    def examined(stop: int) -> dict[str, Any]:
        def progress(done: int, total: int) -> None:
            if done == stop:
                raise KeyboardInterrupt

        detector = red_detector()
        run = detector._runtime
        counting = Detector(
            "red", detector.info, lambda x: seen.append(1) or run(x), model_path=weights
        )
        return examine(counting, QUESTIONS, ["occlusion"], progress, kept)

    with pytest.raises(KeyboardInterrupt):
        examined(stop=3)
    with kept.open("a") as file:
        file.write('["broken')  # as by a crash
    first = len(seen)
    result = examined(stop=0)
    assert len(seen) - first < first / 2
    whole = examine(red_detector(), QUESTIONS, ["occlusion"], lambda done, total: None)
    assert result == whole


def test_part_of_a_set(tmp_path: Path) -> None:
    data = DataSet.read("faces", str(write_class_folders(tmp_path / "faces")), "video")
    names = [f"faces/{name.as_posix()}" for name in data.folder.names]
    table = tmp_path / "split.csv"
    rows = [f"{name},{'test' if '/df/0_' in name else 'train'}" for name in names]
    table.write_text("\n".join(["file,part", *rows]))
    part = data.part(table, "test")
    assert [name.as_posix() for name in part.folder.names] == [
        "df/0_0.png",
        "df/0_1.png",
        "df/0_2.png",
    ]
    assert list(part.groups) == ["0", "0", "0"]
    with pytest.raises(DataError, match="no image of faces to the part 'validation'"):
        data.part(table, "validation")
