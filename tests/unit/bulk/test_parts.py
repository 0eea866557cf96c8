"""Parts of a run: whole or not there, and resumed without loss or repetition."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mesonet.bulk.items import Item, find_items
from mesonet.bulk.parquet import VERDICTS
from mesonet.bulk.parts import Parts
from mesonet.bulk.running import local_engine, run
from mesonet.errors import ArgumentError, InputError

MADE_BY = {"command": "predict", "model": {"name": "m", "sha256": "1"}, "settings": {}}


class Stub:
    """Says the same of every item; dies as a killed process does where it is told to."""

    schema = VERDICTS
    description = MADE_BY

    def __init__(self, deadly=None):
        self.deadly = deadly
        self.seen = []

    def rows(self, items):
        for item in items:
            if Path(item.path).name == self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            self.seen.append(item.path)
            error = "no image" if "bad" in item.path else None
            row = {"path": item.path, "size": item.size, "modified": item.modified}
            yield row | ({"error": error} if error else {"label": "real"})


def score(folder, output, scorer, *, resume=False, shard_size=3, **options):
    parts = Parts(output, scorer.description, resume=resume)
    items = (item for item in find_items([str(folder)], {".jpg"}) if not parts.holds(item))
    engine = local_engine(scorer, lambda rows: None)
    return run(engine, items, parts, shard_size=shard_size, **options)


def paths(output):
    return pq.read_table(output)["path"].to_pylist() if any(output.glob("*.parquet")) else []


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(10):
        (tmp_path / "in" / f"{number}.jpg").write_text(str(number))
    return tmp_path / "in"


def test_a_killed_run_loses_its_shard_and_resumes(folder, tmp_path):
    code = f"from {__name__} import *; score(*map(Path, sys.argv[1:]), Stub('7.jpg'))"
    arguments = [sys.executable, "-c", code, folder, tmp_path / "out"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
    assert subprocess.run(arguments, env=environment).returncode == -signal.SIGKILL
    assert sorted(part.name for part in (tmp_path / "out").iterdir()) == [
        "part-000000.parquet",
        "part-000001.parquet",
    ]
    (tmp_path / "out" / ".part-000002.parquet-left").mkdir()
    scorer = Stub()
    assert score(folder, tmp_path / "out", scorer, resume=True).rows == 4
    assert [Path(path).name for path in scorer.seen] == ["6.jpg", "7.jpg", "8.jpg", "9.jpg"]
    assert paths(tmp_path / "out") == sorted(str(path) for path in folder.iterdir())
    assert not list((tmp_path / "out").glob(".*"))
    assert score(folder, tmp_path / "out", Stub(), resume=True).rows == 0


def test_what_has_changed_is_scored_again(folder, tmp_path):
    score(folder, tmp_path / "out", Stub())
    (folder / "5.jpg").write_text("another")
    os.utime(folder / "6.jpg", (1, 1))
    (folder / "new.jpg").touch()
    scorer = Stub()
    score(folder, tmp_path / "out", scorer, resume=True)
    assert [Path(path).name for path in scorer.seen] == ["5.jpg", "6.jpg", "new.jpg"]


def test_parts_say_what_made_them_and_do_not_mix(folder, tmp_path):
    score(folder, tmp_path / "out", Stub())
    [first, *_] = sorted((tmp_path / "out").iterdir())
    assert json.loads(pq.read_schema(first).metadata[b"mesonet"]) == MADE_BY
    with pytest.raises(ArgumentError, match="--resume"):
        Parts(tmp_path / "out", MADE_BY, resume=False)
    with pytest.raises(InputError, match=r"part-000000.*another settings"):
        Parts(tmp_path / "out", MADE_BY | {"settings": {"threshold": 0.5}}, resume=True)
    first.write_bytes(first.read_bytes()[:-9])
    with pytest.raises(InputError, match="remove it"):
        Parts(tmp_path / "out", MADE_BY, resume=True)


def test_too_many_errors_end_a_run_and_keep_what_was_done(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(300):
        name = "bad" if number % 4 == 0 else "fine"
        (tmp_path / "in" / f"{number:03}-{name}.jpg").touch()
    with pytest.raises(InputError, match=r"25 of 100 .* share of 0\.2 "):
        score(tmp_path / "in", tmp_path / "out", Stub(), shard_size=50, max_error_share=0.2)
    assert len(paths(tmp_path / "out")) == 100
    outcome = score(tmp_path / "in", tmp_path / "out", Stub(), resume=True, max_error_share=0.3)
    assert (outcome.rows, outcome.errors) == (200, 50)
    assert not outcome.has_errors(0.3)
    assert outcome.has_errors(None)


def test_items_are_taken_as_they_are_needed(tmp_path):
    taken = []

    def items():
        for number in range(10):
            taken.append(number)
            yield Item(str(number))

    written = []
    parts = Parts(tmp_path, MADE_BY, resume=False)
    parts.write = lambda number, table: written.append((number, len(taken)))
    run(local_engine(Stub(), lambda rows: None), items(), parts, shard_size=4)
    assert written == [(0, 4), (1, 8), (2, 10)]


def test_a_name_that_is_no_text_is_kept_and_known_again(tmp_path):
    odd = "\udcff\udc00.jpg"
    item = Item(odd, 1, 2)
    parts = Parts(tmp_path, MADE_BY, resume=False)
    run(local_engine(Stub(), lambda rows: None), [item], parts, shard_size=4)
    assert paths(tmp_path) == [r"\udcff\udc00.jpg"]
    again = Parts(tmp_path, MADE_BY, resume=True)
    assert again.holds(item)
    assert not again.holds(Item(odd, 1, 3))
