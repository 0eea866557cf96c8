"""What is to be read: folders, lists and addresses."""

import csv
import os

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mesonet.bulk.items import Item, find_items, listed_items
from mesonet.bulk.remote import fetched, is_remote, remote_image
from mesonet.errors import DataError, ImageError, MediaError

SUFFIXES = frozenset({".jpg"})


@pytest.fixture
def folder(tmp_path):
    for name in ("b/2.jpg", "b/text.txt", "a.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, ns=(0, 1_500_000_000_123_456_789))
    return tmp_path


@pytest.fixture
def bucket():
    system = fsspec.filesystem("memory")
    for name in ("faces/b.jpg", "faces/deep/a.jpg", "faces/text.txt", "faces/.hidden.jpg"):
        system.pipe(f"/bucket/{name}", name.encode())
    yield "memory:///bucket"
    system.rm("/bucket", recursive=True)


def test_local_items_know_size_and_time_and_errors_are_items(folder):
    time = 1_500_000_000_123_456_789
    assert list(find_items([str(folder), str(folder / "gone.jpg")], SUFFIXES)) == [
        Item(str(folder / "a.jpg"), 5, time // 1000),
        Item(str(folder / "b/2.jpg"), 7, time // 1000),
        Item(str(folder / "gone.jpg"), error="no such file or directory"),
    ]


def test_objects_behind_an_address(bucket, folder):
    inputs = [f"{bucket}/faces", str(folder / "a.jpg"), f"{bucket}/**/a*", f"{bucket}/gone"]
    *found, gone = find_items(inputs, SUFFIXES)
    assert [item.path for item in found] == [
        f"{bucket}/faces/b.jpg",
        f"{bucket}/faces/deep/a.jpg",
        str(folder / "a.jpg"),
        f"{bucket}/faces/deep/a.jpg",
    ]
    assert found[0].size == len("faces/b.jpg")
    assert found[0].modified > 1_500_000_000_000_000
    assert gone == Item(f"{bucket}/gone", error="no such object")
    assert not is_remote("https://a.org/a.jpg")
    assert not is_remote("C:/a.jpg")


def test_objects_are_read_where_they_are_needed(bucket):
    image = remote_image(f"{bucket}/faces/b.jpg")
    assert (image.name, image.read(4)) == (f"{bucket}/faces/b.jpg", b"face")
    with pytest.raises(ImageError, match="no such object"):
        remote_image(f"{bucket}/gone.jpg").read(4)
    with fetched(f"{bucket}/faces/b.jpg", 100) as copy:
        assert copy.read_text() == "faces/b.jpg"
    assert not copy.exists()
    with (
        pytest.raises(MediaError, match="larger than the 3 bytes allowed"),
        fetched(f"{bucket}/faces/b.jpg", 3),
    ):
        pass


@pytest.mark.parametrize("kind", ["txt", "csv", "parquet"])
def test_lists(folder, bucket, kind):
    names = [str(folder / "a.jpg"), str(folder / "gone.jpg"), f"{bucket}/faces/b.jpg"]
    listing = folder / f"list.{kind}"
    if kind == "txt":
        listing.write_text("\r\n".join([*names, "", ""]))
    elif kind == "csv":
        with listing.open("w", newline="") as file:
            csv.writer(file).writerows([("id", "where"), *enumerate(names)])
    else:
        pq.write_table(pa.table({"id": [1, 2, 3], "where": names}), listing)
    items = list(listed_items(str(listing), "where"))
    assert [item.path for item in items] == names
    assert [item.size for item in items] == [5, None, None]
    if kind != "txt":
        with pytest.raises(DataError, match="no column 'path'"):
            list(listed_items(str(listing)))


def test_lists_that_cannot_be_read(folder, bucket):
    with pytest.raises(DataError, match="no such file"):
        list(listed_items(str(folder / "gone.txt")))
    with pytest.raises(DataError, match="gone"):
        list(listed_items(f"{bucket}/gone.txt"))
    (folder / "no.parquet").write_text("no table")
    with pytest.raises(DataError, match="not a Parquet file"):
        list(listed_items(str(folder / "no.parquet")))
    assert [item.path for item in listed_items(f"{bucket}/faces/text.txt")] == ["faces/text.txt"]
