import json

import numpy as np
import pytest

from mesonet.detector import Detector
from mesonet.files import file_hash, joint_hash
from mesonet.model_file import load_model
from mesonet.training_data import hash_images
from mesonet.weights import DEFAULT, Released, list_released, released, released_file
from mesonet.weights.fetching import encoder_file

NAMES = [model.name for model in list_released()]
NETWORKS = [model.name for model in list_released() if not model.needs_encoder]


def test_the_networks_are_released_and_the_default_is_one_of_them():
    assert {"standard", "thorough", "meso4", "mesoinception4"} == set(NAMES)
    assert DEFAULT in NAMES
    assert released("nothing") is None


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_and_keras_files_are_the_same_network(name):
    model = released(name)
    network, info = load_model(model.path)
    assert info == model.info
    assert info.class_names[1] == "real"
    assert 0 < info.threshold < 1
    size = info.preprocessing.size
    x = np.random.default_rng(0).random((3, size, size, 3), np.float32)
    expected = 1 - network.predict(x, verbose=0)[:, 0]
    rounded = 1e-3 if name == "standard" else 1e-5  # each of its files to 16 bits, by itself
    assert np.allclose(Detector.load(name).raw_scores(x), expected, atol=rounded)


def test_thorough_is_known_by_all_that_it_stands_on():
    head, standard, encoder = released("thorough").scored_files
    assert (head, standard) == (released("thorough").path, released("standard").onnx)
    assert encoder == encoder_file()
    assert joint_hash(["a"]) == "a"
    assert len({joint_hash(hashes) for hashes in (["a", "b"], ["b", "a"], ["a", "b", "c"])}) == 3


def test_a_released_file_is_known_by_its_content():
    head = released("thorough")
    assert released_file(file_hash(head.path)) == head
    assert released_file("0" * 64) is None


@pytest.mark.parametrize("name", ["meso4", "mesoinception4"])
def test_files_declare_their_training(name):
    info = released(name).info
    assert info.kinds == ("face swaps",)
    assert (info.training_data.sets, info.training_data.images) == (("mesonet",), 2938)


def test_training_images_are_known_again_and_others_are_not(shared):
    known = released("meso4").info.training_data
    mesonet = sorted((shared / "data" / "mesonet").rglob("*.jpg"))
    overlap = known.overlap(hash_images(mesonet))
    assert overlap.share == pytest.approx(2938 / 4241, abs=0.04)
    others = sorted((shared / "data" / "ffpp").rglob("*.jpg"))[:300]
    assert known.overlap(hash_images(others)).found == 0


@pytest.mark.parametrize("name", NAMES)
def test_cards_say_what_has_to_be_known(name):
    model = released(name)
    card = model.card.read_text(encoding="utf-8")
    for heading in ("## Data", "## Protocol", "## Figures", "## Limits"):
        assert heading in card
    assert f"{model.info.threshold:.3f}" in card
    assert len(model.summary) < 120
    assert model.path.stat().st_size < 20e6


def test_robustness_is_that_of_the_very_weights(tmp_path):
    model = Released("small", tmp_path / "small.keras")
    model.onnx.write_bytes(b"weights")
    record = {"model_sha256": file_hash(model.onnx), "robustness": [{"data": "faces"}]}
    (tmp_path / "small.robustness.json").write_text(json.dumps(record))
    assert model.robustness == [{"data": "faces"}]
    model.onnx.write_bytes(b"other weights")
    assert Released("small", model.path).robustness is None
    assert Released("unmeasured", tmp_path / "unmeasured.keras").robustness is None
