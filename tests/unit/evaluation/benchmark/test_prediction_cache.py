"""Predictions that are kept on disk."""

import pytest

from mesonet.errors import DataError
from mesonet.evaluation.benchmark import prediction_cache
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


@pytest.mark.parametrize("content", [b"{}" * 300, b"\xff\xfe" * 300, b"x" * 10_000])
def test_damaged_cache_is_begun_again_with_a_warning(tmp_path, content):
    with PredictionCache(tmp_path, "model") as cache:
        cache.add("a", 0.5)
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="damaged cache file"):
        cache = PredictionCache(tmp_path, "model")
    assert cache.get("a") is None
    with cache:
        cache.add("a", 0.25)
    assert PredictionCache(tmp_path, "model").get("a") == 0.25


def test_what_is_no_score_is_not_kept(tmp_path):
    cache = PredictionCache(tmp_path, "model")
    cache.add("good", 0.5)
    cache.add("bad", 1.5)
    with pytest.raises(DataError, match="scores cannot be kept here"):
        cache.save()
    assert PredictionCache(tmp_path, "model").get("good") is None


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "scores.sqlite3").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        PredictionCache(tmp_path, "model")


def test_cache_of_another_version_is_not_used(tmp_path, monkeypatch):
    with PredictionCache(tmp_path, "model") as cache:
        cache.add("a", 0.5)
    monkeypatch.setattr(prediction_cache, "_MADE_BY", "mesonet 99, format 1")
    with PredictionCache(tmp_path, "model") as cache:
        assert cache.get("a") is None
        cache.add("a", 0.25)
    assert PredictionCache(tmp_path, "model").get("a") == 0.25


def test_place_of_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("MESONET_CACHE", str(tmp_path))
    assert default_cache() == tmp_path / "predictions"
    monkeypatch.delenv("MESONET_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache() == tmp_path / ".cache/mesonet/predictions"
