"""What is to be read: media with what tells them apart, found lazily."""

import csv
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mesonet.bulk.remote import find_remote, is_remote, open_list
from mesonet.errors import DataError, ImageError
from mesonet.images.finding import iter_images

COLUMN = "path"


@dataclass(frozen=True, slots=True)
class Item:
    """A medium that is to be read, or an input that gives none.

    Attributes:
        path: path or address.
        size: in bytes; None where it is not known.
        modified: when it was last changed, in microseconds since 1970; None where it is not known.
        error: why there is nothing to read; None where there is.
    """

    path: str
    size: int | None = None
    modified: int | None = None
    error: str | None = None


def find_items(inputs: Iterable[str], suffixes: Collection[str]) -> Iterator[Item]:
    """Yield the media that files, folders, patterns and addresses stand for, while they are found.

    Args:
        inputs: as for `mesonet.images.finding.find_images`, or addresses of objects, prefixes or
            patterns such as ``s3://bucket/faces/**.jpg`` that fsspec can open.
        suffixes: what is taken of a folder or prefix.
    """
    local: list[str] = []
    for given in inputs:
        if not is_remote(given):
            local.append(given)
            continue
        yield from _local_items(local, suffixes)
        local = []
        for found in find_remote(given, suffixes):
            if isinstance(found, ImageError):
                yield Item(found.path, error=found.reason)
            else:
                yield Item(*found)
    yield from _local_items(local, suffixes)


def _local_items(inputs: list[str], suffixes: Collection[str]) -> Iterator[Item]:
    for image in iter_images(inputs, suffixes):
        if isinstance(image, ImageError):
            yield Item(image.path, error=image.reason)
        else:
            yield _local_item(str(image))


def _local_item(path: str) -> Item:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):  # what is wrong shows when it is read
        return Item(path)
    return Item(path, status.st_size, status.st_mtime_ns // 1000)


def listed_items(listing: str, column: str = COLUMN) -> Iterator[Item]:
    """Yield the media that a list names, in its order and as often as it does.

    Of addresses size and time are not asked for: that would be a request for each.

    Args:
        listing: path or address of a Parquet file, a CSV file with a header (``.csv``), or a text
            with a path in each line.
        column: which column of a table holds the paths.

    Raises:
        DataError: the list cannot be read.
    """
    try:
        for path in _listed_paths(listing, column):
            if path:
                yield Item(path) if is_remote(path) else _local_item(path)
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        reason = getattr(error, "strerror", None) or str(error) or "cannot be read"
        raise DataError(listing, reason.splitlines()[0].lower()) from error


def _listed_paths(listing: str, column: str) -> Iterator[str]:
    suffix = os.path.splitext(listing)[1].lower()  # noqa: PTH122 - it may be an address
    with open_list(listing) as file:
        if suffix == ".parquet":
            from mesonet.bulk.parquet import read_column

            yield from read_column(file, listing, column)
            return
        lines = (line.decode("utf-8", "surrogateescape") for line in file)
        if suffix != ".csv":
            yield from (line.rstrip("\r\n") for line in lines)
            return
        reader = csv.DictReader(lines)
        if column not in (reader.fieldnames or ()):
            raise DataError(listing, f"has no column {column!r}")
        for row in reader:
            yield row[column] or ""
