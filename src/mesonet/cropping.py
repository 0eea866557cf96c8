"""A folder of face crops from photographs and clips, for training and evaluation."""

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from mesonet.errors import MediaError
from mesonet.faces import CenterFace, FaceDetector, crop_face, measure_quality
from mesonet.faces.crop import SCALE
from mesonet.files import read_table, writing
from mesonet.media import Frame, Limits, Photo, open_medium

GROUPS = "groups.csv"


@dataclass(frozen=True, slots=True)
class Cropped:
    """What came of one medium: how many faces were written, or an error."""

    path: str
    faces: int = 0
    error: str | None = None


def crop_media(
    paths: Sequence[str | os.PathLike[str]],
    folder: Path,
    *,
    frames: int = 8,
    scale: float = SCALE,
    faces: FaceDetector | None = None,
) -> Iterator[Cropped]:
    """Cut the faces of media into a folder, one result for each medium as it is done.

    Files are called ``<medium>_<frame>_<face>.png``. The table ``groups.csv`` beside the folder,
    with the columns file and group, lists them when all is done; its groups are the media. What it
    says of other folders stays.

    Args:
        paths: photographs and clips.
        folder: a class folder, such as ``data/real``; is made if need be, must hold nothing yet.
        frames: how many frames of a clip are looked at.
        scale: side of the square, in longer sides of the face's box.
        faces: finds the faces; by default CenterFace.

    Raises:
        OSError: the folder cannot be written to, or holds something.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder}: there is something in this folder already")
    finder = faces or CenterFace()
    rows: list[tuple[str, str]] = []
    taken: set[str] = set()
    for path in paths:
        group = _unique(Path(path).stem, taken)
        names: list[str] = []
        try:
            for name in _crop(path, folder, group, frames, scale, finder):
                names.append(name)  # noqa: PERF402 - those before an error are deleted
        except MediaError as error:
            for name in names:
                (folder / name).unlink()
            yield Cropped(os.fspath(path), error=error.reason)
            continue
        rows += [(f"{folder.name}/{name}", f"{folder.name}/{group}") for name in names]
        yield Cropped(os.fspath(path), faces=len(names))
    _add_to_table(folder.parent / GROUPS, rows)


def _add_to_table(path: Path, rows: Sequence[tuple[str, str]]) -> None:
    known = read_table(path, ["group"]) if path.exists() else {}
    table = {file: group for file, (group,) in known.items()} | dict(rows)
    with writing(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["file", "group"])
        writer.writerows(table.items())


def _crop(
    path: str | os.PathLike[str],
    folder: Path,
    group: str,
    count: int,
    scale: float,
    finder: FaceDetector,
) -> Iterator[str]:
    medium = open_medium(path, os.fspath(path), Limits())
    if isinstance(medium, Photo):
        frames = iter([Frame(0, 0.0, 0, medium.pixels)])
    else:
        frames = medium.frames(count)
    for frame in frames:
        good = [f for f in finder.find(frame.pixels) if not measure_quality(frame.pixels, f).flaw]
        for number, face in enumerate(good, start=1):
            name = f"{group}_{frame.number:05}_{number:02}.png"
            Image.fromarray(crop_face(frame.pixels, face, scale)).save(folder / name)
            yield name


def _unique(stem: str, taken: set[str]) -> str:
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name
