"""The folder of results: a Parquet part for each shard, each there whole or not at all."""

import json
import shutil
from array import array
from bisect import bisect_left
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mesonet.bulk.items import Item
from mesonet.bulk.parquet import KEY, as_utf8
from mesonet.errors import ArgumentError, InputError
from mesonet.files import writing

_METADATA = b"mesonet"
_FIXED = ("command", "model", "settings")


class Parts:
    """The parts of one run, and of the runs that it resumes.

    Args:
        folder: made if need be.
        description: what the rows were made by, as plain types; stored in every part. Parts that
            differ in command, model or settings do not belong together.
        resume: go on where parts are; without it there may be none.

    Raises:
        ArgumentError: there are parts, and nobody said that they be resumed.
        InputError: a part is damaged, or was made by another command, model or other settings.
    """

    def __init__(self, folder: Path, description: dict[str, Any], *, resume: bool) -> None:
        self.folder = folder
        self._description = description
        folder.mkdir(parents=True, exist_ok=True)
        found = sorted(folder.glob("part-*.parquet"))
        if found and not resume:
            raise ArgumentError(f"{folder} holds parts already; --resume goes on with them")
        for unfinished in folder.glob(".part-*"):
            shutil.rmtree(unfinished)
        keys = array("Q")
        for part in found:
            keys.extend(self._keys_of(part))
        self._done = array("Q", sorted(keys))
        self.first = 1 + int(found[-1].stem.rpartition("-")[2]) if found else 0

    def holds(self, item: Item) -> bool:
        """Whether a row tells of this path at this size and time."""
        key = _key(item.path, item.size, item.modified)
        place = bisect_left(self._done, key)
        return place < len(self._done) and self._done[place] == key

    def write(self, number: int, table: pa.Table) -> None:
        """Write the part of a shard."""
        metadata = {_METADATA: json.dumps(self._description).encode()}
        with writing(self.folder / f"part-{number:06}.parquet") as partial:
            pq.write_table(table.replace_schema_metadata(metadata), partial, compression="zstd")

    def _keys_of(self, part: Path) -> list[int]:
        try:
            with pq.ParquetFile(part) as file:
                found = json.loads((file.schema_arrow.metadata or {}).get(_METADATA, b"{}"))
                rows = file.read(columns=KEY)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise InputError(part, "not a part that can be read; remove it") from error
        for name in _FIXED:
            if found.get(name) != self._description[name]:
                made, asked = json.dumps(found.get(name)), json.dumps(self._description[name])
                raise InputError(part, f"was made with another {name}: {made}, not {asked}")
        times = rows["modified"].cast(pa.int64()).to_pylist()
        columns = rows["path"].to_pylist(), rows["size"].to_pylist(), times
        return [_key(*values) for values in zip(*columns, strict=True)]


def _key(path: str, size: int | None, modified: int | None) -> int:
    """Eight bytes for a row: a set of millions fits into memory, and none is taken for another."""
    text = f"{as_utf8(path)}\0{size}\0{modified}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
