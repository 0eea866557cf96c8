"""Objects behind addresses such as ``s3://bucket/faces/``, by fsspec."""

import glob
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from mesonet.errors import ImageError, MediaError, MissingPackageError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_ADDRESS = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_TIMES = ("mtime", "LastModified", "updated", "last_modified", "created")

Found = tuple[str, int | None, int | None]
"""Address, size in bytes, time of change in microseconds since 1970."""


def is_remote(name: str) -> bool:
    """Whether a name is an address that fsspec opens; web pages are none."""
    return bool(_ADDRESS.match(name))


def find_remote(address: str, suffixes: Collection[str]) -> Iterator[Found | ImageError]:
    """Yield the objects that an address stands for: one, all below a prefix, or a pattern's.

    A pattern's matches are taken whatever their suffix. What cannot be listed is an error.
    """
    try:
        system, root = _file_system(address)
        found = False
        for name, facts in _entries(system, root, tuple(suffixes)):
            found = True
            yield system.unstrip_protocol(name), facts.get("size"), _time(facts)
        if not found:
            yield ImageError(address, "nothing there that could be read")
    except MissingPackageError:
        raise
    except Exception as error:  # noqa: BLE001 - each kind of storage has its own
        yield ImageError(address, _reason(error))


def _entries(
    system: "AbstractFileSystem", root: str, suffixes: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    if glob.has_magic(root):
        for name, facts in sorted(system.glob(root, detail=True).items()):
            if facts["type"] == "file":
                yield name, facts
    elif not system.isdir(root):
        yield root, system.info(root)
    else:
        for folder, _, files in system.walk(root, detail=True):
            for name, facts in sorted(files.items()):
                if name and not name.startswith(".") and name.lower().endswith(suffixes):
                    yield f"{folder}/{name}", facts


def _time(facts: dict[str, Any]) -> int | None:
    time = next((facts[name] for name in _TIMES if facts.get(name)), None)
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    if isinstance(time, datetime):
        time = time.timestamp()
    return None if time is None else round(time * 1e6)


@contextmanager
def open_list(name: str) -> Iterator[IO[bytes]]:
    """Open a list of paths, here or behind an address, as bytes."""
    if not is_remote(name):
        with Path(name).open("rb") as file:
            yield file
        return
    system, path = _file_system(name)
    with system.open(path, "rb") as file:
        yield file


def remote_image(address: str) -> BinaryIO:
    """An image that is fetched when it is read, by the thread that reads it."""
    return cast("BinaryIO", _RemoteImage(address))


class _RemoteImage:
    def __init__(self, address: str) -> None:
        self.name = address

    def read(self, size: int) -> bytes:
        try:
            system, path = _file_system(self.name)
            with system.open(path, "rb") as file:
                return bytes(file.read(size))
        except Exception as error:
            raise ImageError(self.name, _reason(error)) from error


@contextmanager
def fetched(address: str, max_bytes: int) -> Iterator[Path]:
    """A copy of an object on this machine, for as long as it is needed.

    Raises:
        MediaError: it cannot be fetched, or is larger than allowed.
    """
    with tempfile.TemporaryDirectory(prefix="mesonet-") as folder:
        copy = Path(folder) / (PurePosixPath(address).name or "medium")
        try:
            system, path = _file_system(address)
            if (system.info(path).get("size") or 0) > max_bytes:
                raise MediaError(address, f"larger than the {max_bytes:,} bytes allowed")
            with system.open(path, "rb") as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        except MediaError:
            raise
        except Exception as error:
            raise MediaError(address, _reason(error)) from error
        yield copy


def _file_system(address: str) -> "tuple[AbstractFileSystem, str]":
    try:
        from fsspec.core import url_to_fs

        system, path = url_to_fs(address)
    except ImportError as error:
        raise MissingPackageError(f"reading {address.partition(':')[0]}://", "cloud") from error
    return system, path


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such object"
    if isinstance(error, PermissionError):
        return "access is denied"
    lines = str(error).splitlines()
    return f"cannot be fetched: {lines[0] if lines else type(error).__name__}"
