"""Files by their content, tables about images, and where files are kept for later."""

import csv
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from platformdirs import user_cache_path

from mesonet.errors import DataError


def file_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a regular file, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: not a regular file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def joint_hash(hashes: Iterable[str]) -> str:
    """The one hash of a file, or SHA-256 of the hashes of several, in their order."""
    first, *others = hashes
    if not others:
        return first
    return hashlib.sha256("\n".join([first, *others]).encode()).hexdigest()


def read_table(path: Path, columns: Sequence[str]) -> dict[str, list[str]]:
    """Read a CSV file with a row for each image.

    Args:
        path: the file, in UTF-8, with the column ``file`` and others.
        columns: names of other columns.

    Returns:
        The values of these columns, by the image's path in its POSIX form.

    Raises:
        ValueError: the file is no such table, a row is too short, or an image is listed twice.
    """
    rows: dict[str, list[str]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            needed = ["file", *columns]
            if not set(needed) <= set(reader.fieldnames or ()):
                raise ValueError(f"needs the columns {', '.join(map(repr, needed))}")
            for row in reader:
                values = [row[column] for column in columns]
                if not row["file"] or None in values:
                    raise ValueError(f"line {reader.line_num} is too short")
                name = PurePath(row["file"]).as_posix()
                if name in rows:
                    raise ValueError(f"{name} is listed twice")
                rows[name] = values
    except UnicodeDecodeError:
        raise DataError(path, "not a CSV file in UTF-8") from None
    except OSError as error:
        raise DataError(path, error.strerror or "cannot be read") from error
    except (ValueError, csv.Error) as error:
        raise DataError(path, str(error)) from None
    return rows


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A path to write a file or folder to, which appears in its place when it is complete.

    It lies in a folder of its own beside its place, and bears the same name. Where the block is
    left by an exception nothing appears.
    """
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        partial = Path(folder) / path.name
        yield partial
        partial.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8 that is never seen half-written."""
    with writing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def cache_folder() -> Path:
    """Where downloads, conversions and predictions are kept; it need not exist.

    The system's place for it, on Linux ``~/.cache/mesonet``, or what the environment variable
    ``MESONET_CACHE`` names.
    """
    return Path(os.environ.get("MESONET_CACHE") or user_cache_path("mesonet", appauthor=False))
