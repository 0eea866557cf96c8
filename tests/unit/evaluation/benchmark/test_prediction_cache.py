"""Predictions that are kept on disk."""

import json

import pytest

from mesonet.evaluation.benchmark.prediction_cache import PredictionCache, default_cache


def test_cache_gives_back_what_it_was_given(tmp_path):
    score = 0.1 + 0.2
    with PredictionCache(tmp_path, "model", "jpeg 50") as cache:
        cache.add("image", score)
    assert PredictionCache(tmp_path, "model", "jpeg 50").get("image") == score
    assert PredictionCache(tmp_path, "model", "jpeg 40").get("image") is None
    assert PredictionCache(tmp_path, "model").get("image") is None
    assert PredictionCache(tmp_path, "other", "jpeg 50").get("image") is None


def test_cache_keeps_what_others_added_and_what_came_before_an_error(tmp_path):
    first, second = PredictionCache(tmp_path, "model"), PredictionCache(tmp_path, "model")
    with pytest.raises(KeyboardInterrupt), first:
        first.add("a", 0.25)
        raise KeyboardInterrupt
    with second:
        second.add("b", 0.75)
    third = PredictionCache(tmp_path, "model")
    assert (third.get("a"), third.get("b")) == (0.25, 0.75)
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["untouched.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"format": 1}',
        b'{"format": 1, "mesonet": VERSION, "scores": {"a": "much"}}',
        b'{"format": 1, "mesonet": VERSION, "scores": {"a": 1.5}}',
        b'{"format": 1, "mesonet": VERSION, "scores": {"a": NaN}}',
        b'{"format": 1, "mesonet": VERSION, "scores": [0.5]}',
    ],
)
def test_damaged_cache_is_left_out_with_a_warning(tmp_path, content):
    with PredictionCache(tmp_path, "model") as cache:
        cache.add("a", 0.5)
    (path,) = tmp_path.rglob("*.json")
    version = json.dumps(json.loads(path.read_text())["mesonet"]).encode()
    path.write_bytes(content.replace(b"VERSION", version))
    with pytest.warns(UserWarning, match="damaged cache file"):
        cache = PredictionCache(tmp_path, "model")
    assert cache.get("a") is None


def test_cache_of_another_version_is_not_used(tmp_path):
    with PredictionCache(tmp_path, "model") as cache:
        cache.add("a", 0.5)
    (path,) = tmp_path.rglob("*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"mesonet": "0.0.1"}))
    assert PredictionCache(tmp_path, "model").get("a") is None


def test_place_of_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("MESONET_CACHE", str(tmp_path))
    assert default_cache() == tmp_path / "predictions"
    monkeypatch.delenv("MESONET_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache() == tmp_path / ".cache/mesonet/predictions"
