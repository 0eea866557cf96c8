import hashlib
import json

import pytest
from tests.images import write_class_folders, write_picture

from mesonet.files import file_hash
from mesonet.model_info import ModelInfo
from mesonet.training_data import MOST_HASHES, TrainingData


def hashes(start, end):
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(start, end)]


def data_of(*numbers, name="faces"):
    found = hashes(*numbers)
    cut = sorted(hash_[:10] for hash_ in found)[:MOST_HASHES]
    return TrainingData((name,), len(found), tuple(cut))


def test_few_images_are_all_known(tmp_path):
    paths = sorted(write_class_folders(tmp_path / "data", videos=2, frames=2).rglob("*.png"))
    new = write_picture(tmp_path / "new.png", seed=99)
    data = TrainingData.of(["data"], [*paths, tmp_path / "gone.png"])
    assert (data.sets, data.images, len(data.hashes)) == (("data",), 8, 8)
    overlap = data.overlap([file_hash(path) for path in [*paths[:3], new]] + [""])
    assert (overlap.found, overlap.compared, overlap.share) == (3, 4, 0.75)
    assert "m was trained on images of x: on 3 of the 4" in overlap.sentence("m", "x")


def test_of_many_images_a_sample_is_known():
    data = data_of(0, 20_000)
    assert len(data.hashes) == MOST_HASHES
    half = data.overlap(hashes(19_000, 21_000))
    assert 50 < half.compared < 160  # of 2,000, about a twentieth
    assert half.share == pytest.approx(0.5, abs=0.15)
    assert data.overlap(hashes(20_000, 24_000)).found == 0
    assert TrainingData(("x",)).overlap(hashes(0, 9)).share is None


def test_what_was_learnt_before_is_not_forgotten():
    later = data_of(0, 20, name="b").and_before(data_of(10, 40, name="a"))
    assert (later.sets, later.images) == (("a", "b"), 40)
    assert later.overlap(hashes(0, 50)).found == 40

    large = data_of(0, 3000, name="b").and_before(data_of(3000, 9000, name="a"))
    assert large.images == 9000
    sample = large.overlap(hashes(0, 18_000))
    assert sample.share == pytest.approx(0.5, abs=0.07)
    assert large.overlap(hashes(9000, 18_000)).found == 0
    assert data_of(0, 3000).and_before(data_of(0, 3000)) == data_of(0, 3000)
    assert data_of(0, 9).and_before(None) == data_of(0, 9)


def test_it_is_kept_in_a_description():
    info = ModelInfo(training_data=data_of(0, 5))
    text = json.dumps(info.to_dict())
    assert ModelInfo.from_dict(json.loads(text)) == info


@pytest.mark.parametrize(
    "values",
    [
        {"sets": [""]},
        {"sets": ["x"] * 101},
        {"images": -1},
        {"hashes": ["zz"]},
        {"hashes": ["b" * 10, "a" * 10]},
        {"hashes": [f"{number:010x}" for number in range(MOST_HASHES + 1)]},
        {"hashes": [5]},
        {"hashes": 5},
    ],
)
def test_a_broken_record_is_refused(values):
    data = {"sets": ["x"], "images": 0, "hashes": []} | values
    described = ModelInfo().to_dict() | {"training_data": data}
    with pytest.raises(ValueError):
        ModelInfo.from_dict(described)
