"""Finding the images that files, folders and glob patterns stand for; none is opened."""

import fnmatch
import glob
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from mesonet.errors import ImageError

READS_HEIC = find_spec("pillow_heif") is not None
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".webp", ".avif"}
    | {".bmp", ".pbm", ".pgm", ".pnm", ".ppm", ".tif", ".tiff"}
    | ({".heic", ".heif"} if READS_HEIC else set())
)


def find_images(
    inputs: Iterable[str | os.PathLike[str]], suffixes: Collection[str] = IMAGE_SUFFIXES
) -> tuple[list[Path], list[ImageError]]:
    """List the image files that files, folders and glob patterns stand for.

    A file that is named, or matched by a pattern, is taken whatever its suffix. A folder gives the
    files below it that end in one of the suffixes; it is searched to any depth and through
    links, each folder once. Hidden files and folders are passed over unless they are named. In a
    pattern ``**`` stands for folders to any depth. Whether a file really is an image shows when it
    is read.

    Returns:
        The paths, each once, in the order of the inputs and sorted inside folders and patterns;
        and one error for each input that is missing or gives no image, and for each folder that
        cannot be read.
    """
    found: list[Path] = []
    errors: list[ImageError] = []
    for image in iter_images(inputs, suffixes):
        if isinstance(image, ImageError):
            errors.append(image)
        else:
            found.append(image)
    return found, errors


def iter_images(
    inputs: Iterable[str | os.PathLike[str]], suffixes: Collection[str] = IMAGE_SUFFIXES
) -> Iterator[Path | ImageError]:
    """Yield what `find_images` lists, paths and errors, while it is found.

    Of a single folder no more is held in memory than the names in the folders on the way down.
    """
    given = [os.fspath(name) for name in inputs]
    seen: set[Path] = set()
    for name in given:
        errors: list[ImageError] = []
        matches = _matches_of(name, errors)
        may_repeat = len(given) > 1 or len(matches) > 1
        for match in matches:
            for path in _files(match, suffixes, errors):
                if not may_repeat:
                    yield path
                elif path not in seen:
                    seen.add(path)
                    yield path
        yield from errors


def _matches_of(name: str, errors: list[ImageError]) -> list[str]:
    """A name itself, or what it matches as a pattern."""
    if os.path.lexists(name):
        return [name]
    if name.lower().startswith(("http://", "https://")):
        errors.append(ImageError(name, "an address; download it and name the file"))
        return []
    if not glob.has_magic(name):
        return [name]
    names = _expand(name, errors)
    if not names:
        errors.append(ImageError(name, "nothing matches this pattern"))
    return names


def _files(name: str, suffixes: Collection[str], errors: list[ImageError]) -> Iterator[Path]:
    if not name:
        errors.append(ImageError(name, "the name is empty"))
        return
    try:
        if not stat.S_ISDIR(Path(name).stat().st_mode):
            yield Path(name)
            return
    except (OSError, ValueError) as error:
        errors.append(ImageError(name, _reason(error)))
        return
    errors_before = len(errors)
    ends, is_empty = tuple(suffixes), True
    for path, is_folder in walk(name, errors):
        if not is_folder and path.lower().endswith(ends):
            is_empty = False
            yield Path(path)
    if is_empty and len(errors) == errors_before:
        what = "images" if suffixes is IMAGE_SUFFIXES else "photographs or clips"
        errors.append(ImageError(name, f"no {what} in this folder"))


def walk(folder: str, errors: list[ImageError]) -> Iterator[tuple[str, bool]]:
    """Yield a folder and all below it, sorted, as (path, is a folder); no folder comes twice."""
    visited: set[tuple[int, int]] = set()
    pending = [(folder, True)]
    while pending:
        path, is_folder = pending.pop()
        if is_folder:
            try:
                status = Path(path).stat()
                if (status.st_dev, status.st_ino) in visited:
                    continue
                visited.add((status.st_dev, status.st_ino))
                with os.scandir(path) as entries:
                    below = [(e.path, _is_folder(e)) for e in entries if e.name[0] != "."]
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                errors.append(ImageError(path, _reason(error)))
                continue
            below.sort(reverse=True)
            pending += below
        yield path, is_folder


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _expand(pattern: str, errors: list[ImageError]) -> list[str]:
    """List what a glob pattern matches; unlike `glob.glob`, linked folders cannot make it loop."""
    parts = Path(pattern).parts
    if parts[-1] == "**":  # the folders before it are searched to any depth anyway
        parts = parts[:-1]
    paths = [Path()]
    for part in parts:
        if part == "**":
            below = (entry for base in paths for entry in walk(str(base), errors))
            paths = list(dict.fromkeys(Path(path) for path, is_folder in below if is_folder))
        elif glob.has_magic(part):
            paths = [path for base in paths for path in _matches(base, part, errors)]
        else:
            paths = [base / part for base in paths]
    return [str(path) for path in paths if os.path.lexists(path)]


def _matches(folder: Path, pattern: str, errors: list[ImageError]) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(fnmatch.filter((entry.name for entry in entries), pattern))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        errors.append(ImageError(str(folder), _reason(error)))
        return []
    return [folder / name for name in names if name[0] != "." or pattern[0] == "."]


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "damaged or unreadable"
