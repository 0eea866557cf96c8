"""Shards on a Ray cluster of this machine, which takes seconds to start."""

import os
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.command_line import mesonet, only_line
from tests.images import write_picture

from mesonet.bulk.items import Item
from mesonet.bulk.parquet import VERDICTS

ray = pytest.importorskip("ray")


class Fragile:
    """Ends its process at a file that says so, at some only the first time."""

    schema = VERDICTS

    def __init__(self):
        model = {"name": "m", "sha256": "1"}
        self.description = {"command": "predict", "model": model, "settings": {}}

    def rows(self, items):
        for item in items:
            orders = Path(item.path).read_text() if item.error is None else ""
            if orders:
                if orders == "once":
                    Path(item.path).write_text("")
                os._exit(9)
            row = {"path": item.path, "size": item.size, "modified": item.modified}
            yield row | ({"error": item.error} if item.error else {"label": "real"})


@pytest.mark.slow
def test_a_lost_worker_loses_and_doubles_nothing(tmp_path):
    from mesonet.bulk.ray_engine import ray_engine

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    orders = {3: "once", 7: "always"}
    items = []
    for number in range(9):
        path = tmp_path / f"{number}.jpg"
        path.write_text(orders.get(number, ""))
        items.append(Item(str(path), number, 10**15 + number))
    shards = [(place, items[3 * place : 3 * place + 3]) for place in range(3)]
    counted = []
    engine = ray_engine(Fragile, Fragile(), counted.append, workers=1)
    rows = {number: table.to_pylist() for number, table in engine(shards)}
    assert sum(counted) == 9
    found = [row for number in sorted(rows) for row in rows[number]]
    assert [row["path"] for row in found] == [item.path for item in items]
    assert [row["size"] for row in found] == list(range(9))
    errors = {place: row["error"] for place, row in enumerate(found) if row["error"]}
    assert errors == {7: "every process that read it came to an end"}
    assert not ray.is_initialized()


@pytest.mark.slow
def test_the_command_writes_the_rows_of_the_local_engine(tmp_path):
    folder = tmp_path / "faces"
    folder.mkdir()
    for number in range(4):
        write_picture(folder / f"{number}.png", seed=number)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    command = ("predict", folder, "-m", "meso4", "--format", "parquet", "--shard-size", 2, "-o")
    local = mesonet(*command, tmp_path / "local")
    by_ray = mesonet(*command, tmp_path / "ray", "--engine", "ray", "--workers", 1)
    assert (local.returncode, by_ray.returncode) == (1, 1)
    assert "1 unreadable" in only_line(by_ray.stderr)
    found, wanted = (pq.read_table(tmp_path / name) for name in ("ray", "local"))
    assert found.num_rows == 5
    assert found.sort_by("path").equals(wanted.sort_by("path"))
    assert found.schema.metadata == wanted.schema.metadata
    assert not ray.is_initialized()
