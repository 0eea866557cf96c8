"""What the scripts of `benchmarks` count."""

import numpy as np
import pytest
from benchmarks.aggregation import of_released
from benchmarks.audits import across_the_split
from benchmarks.calibration import CALIBRATORS, balanced, by_chance, error, held_out
from benchmarks.common import markdown_table
from benchmarks.cross_pairs import matrix
from benchmarks.face_size import shrunk
from benchmarks.faces import Found, score_cuts
from benchmarks.fragility import count_verdicts
from benchmarks.framing import at, count
from recipes.detector.sets import Sample

from mesonet.checking.scale import Scale
from mesonet.detector import Detector
from mesonet.faces import Face, crop_face
from mesonet.fragility import CHANGES

IMAGE = np.arange(80 * 100 * 3, dtype=np.uint32).reshape(80, 100, 3).astype(np.uint8)
FACE = Face((30.0, 20.0, 30.0, 40.0), 1.0)


@pytest.fixture(scope="module")
def detector():
    return Detector.load("standard")


def test_a_face_is_cut_as_it_is_served_or_widened_by_its_mirror_image():
    assert np.array_equal(at(1.3)(IMAGE, FACE), crop_face(IMAGE, FACE, 1.3))
    assert at(2.0)(IMAGE, FACE).shape == (80, 80, 3)
    assert at(3.0)(IMAGE, FACE).shape == (80, 80, 3)
    assert at(2.5, widened=True)(IMAGE, FACE).shape == (100, 100, 3)
    inside = np.array_equal(at(1.0, widened=True)(IMAGE, FACE), crop_face(IMAGE, FACE, 1.0))
    assert inside


def test_a_face_is_scaled_down_to_a_size_and_never_up():
    assert shrunk(20)(IMAGE, FACE).shape == (26, 26, 3)
    assert shrunk(20, 85)(IMAGE, FACE).shape == (26, 26, 3)
    assert shrunk(41)(IMAGE, FACE) is None


def test_scores_are_kept_by_the_pixels(detector, tmp_path, monkeypatch):
    found = [Found("a", "a/1", False, IMAGE, FACE)]
    cuts = {"served": crop_face, "none": lambda image, face: None}
    first = score_cuts(detector, found, cuts, tmp_path)
    assert 0 < first[0, 0] < 1
    assert np.isnan(first[0, 1])
    monkeypatch.setattr(detector, "raw_scores", None)
    assert np.array_equal(score_cuts(detector, found, cuts, tmp_path), first, equal_nan=True)


def test_a_verdict_is_turned_where_one_cut_is_sure_to_be_real_and_another_forged(detector):
    found = [Found("a", f"a/{number}", False, IMAGE, FACE) for number in range(4)]
    scores = np.array([[0.01, 0.99], [0.01, 0.5], [0.99, 0.99], [0.01, 0.01]])
    row = count(detector, found, scores, "these")
    assert (row["turned by words"], row["by labels"]) == (0.25, 0.25)
    assert row["strong evidence"] == "0.25 0.50"


def test_wrong_verdicts_are_counted_by_the_words_that_are_served(detector):
    scale = Scale.of(detector.info)
    low, between, high = 0.0, (scale.uncertain + scale.some) / 2, 1.0
    picture = np.tile(IMAGE, (2, 2, 1))
    large, small = Face((20.0, 10.0, 100.0, 120.0), 1.0), FACE
    rows = [
        (large, [high] * 8),  # accused, and stays so
        (large, [high, *[low] * 3, *[high] * 4]),  # accused, but three changes move it
        (small, [high] * 8),  # too small to be accused
        (large, [between] * 8),
        (large, [high] * 8),  # the only manipulated one
    ]
    found = [Found("a", f"a/{n}", n == 4, picture, face) for n, (face, _) in enumerate(rows)]
    figures = count_verdicts(found, np.array([scores for _, scores in rows]), detector)
    assert len(rows[0][1]) == 1 + len(CHANGES)
    values = {name: figures[name]["value"] for name in ("wrong_before", "wrong_after")}
    assert values == pytest.approx({"wrong_before": 0.4, "wrong_after": 0.2})
    assert figures["uncertain_before"]["value"] == pytest.approx(0.4)
    assert figures["uncertain_after"]["value"] == pytest.approx(0.6)


def test_calibrators_mend_what_is_too_timid_and_chance_leaves_an_error():
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 3, 2000)
    fake = rng.random(2000) < 1 / (1 + np.exp(-odds))
    classes = np.where(fake, "a/fake", "a/real")
    weights, groups = balanced(classes), np.arange(2000).astype(str)
    assert weights[fake].sum() == pytest.approx(weights[~fake].sum())
    timid = 1 / (1 + np.exp(-odds / 3))
    for fit in CALIBRATORS.values():
        mended = held_out(fit, odds / 3, fake, weights, groups, classes, 0)
        assert error(fake, mended, weights) < 0.05 < error(fake, timid, weights)
    few, many = (by_chance(timid[:n], weights[:n]) for n in (50, 2000))
    assert 0 < many < few
    assert np.isnan(error(fake, np.full(2000, np.nan), weights))


def test_pairs_of_sources_are_compared_and_the_worst_is_named(detector):
    files = ["ffpp/real/1.jpg", "ffpp/f2f/1.jpg", "dfdc/real/1.jpg", "dfdc/fake/1.jpg"]
    found = [Sample(file, file, "test") for file in files]
    fake = np.array([sample.fake for sample in found])
    table, sentence = matrix(detector, found, fake, np.array([0.1, 0.9, 0.5, 0.3]))
    assert "**1.000**" in table
    assert sentence == "Mean of all pairs 0.750; worst pair dfdc against dfdc, 0.000."


def test_look_alikes_across_the_split_are_counted_by_class(tmp_path):
    parts = {"a/real/1.jpg": "train", "a/real/2.jpg": "test", "a/fake/1.jpg": "test"}
    clusters = [[str(tmp_path / name) for name in parts]]
    (text,) = across_the_split([{"images": clusters}], tmp_path / "a", parts)
    assert "of 2 test images 1 look like a training image of their class" in text
    assert "1 like one of the other class" in text
    assert across_the_split([{"images": []}], tmp_path / "a", parts) == []


def test_tables_have_three_digits_and_a_dash_where_there_is_nothing():
    rows = [["a", 0.12345, 3], ["b", None, float("nan")]]
    assert markdown_table(["x", "y", "z"], rows).splitlines()[2:] == [
        "| a | 0.123 | 3 |",
        "| b | - | - |",
    ]


def test_kept_scores_of_a_released_detector_are_combined_by_video(tmp_path, capsys):
    rows = [
        f"mesonet/{kind}/{video}_{frame}.jpg,mesonet/{video},{score + frame / 100}"
        for video, (kind, score) in enumerate([("real", 0.2)] * 3 + [("df", 0.7)] * 3)
        for frame in range(3)
    ]
    (tmp_path / "one.csv").write_text("\n".join(["file,group,raw_score", *rows[:12]]))
    others = ["ffpp/real/1_1.jpg,ffpp/1,0.9"]
    (tmp_path / "two.csv").write_text("\n".join(["file,group,raw_score", *rows[12:], *others]))
    of_released([tmp_path / "one.csv", tmp_path / "two.csv"])
    told = capsys.readouterr().out
    assert told.startswith("3 real and 3 forged videos, 18 frames\n\none, two\n")
    assert "| mean of log odds, trimmed by .1 | 1.000 |" in told
    with pytest.raises(SystemExit, match="no scores of mesonet/"):
        (tmp_path / "none.csv").write_text("\n".join(["file,group,raw_score", *others]))
        of_released([tmp_path / "none.csv"])
