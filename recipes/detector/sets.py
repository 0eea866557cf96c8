"""The five sets of faces, their groups, and the fixed split.

    python -m recipes.detector.sets DATA SPLIT.csv

A group - a video, a pair of people, near duplicates, a photograph and the forgery made of it - lies
on one side: its part follows from a hash of its name, so that a set that grows keeps its split.
"""

import argparse
import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mesonet.datasets.groups import group_keys

PARTS = ("train", "validation", "test")
_REAL = "real"


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a set.

    Attributes:
        file: path below the data folder, such as ``ffpp/real/000_1.jpg``.
        group: what it shares with images that have to stay on its side.
        part: one of `PARTS`.
    """

    file: str
    group: str
    part: str

    @property
    def set(self) -> str:
        """Name of its set."""
        return self.file.split("/")[0]

    @property
    def fake(self) -> bool:
        """Whether it is manipulated."""
        return self.file.split("/")[1] != _REAL

    @property
    def source(self) -> str:
        """What made it: the generator or collection in `synthetic`, else the set's name."""
        return PurePosixPath(self.file).name.split("-")[0] if self.set == "synthetic" else self.set


GROUPING = {
    "mesonet": "video",
    "ffpp": "pair",
    "ciplab": "groups.csv",
    "dfdc": "groups.csv",
    "synthetic": "file",
}


def part_of(group: str) -> str:
    """Choose the part of a group by its name: 70 % train, 10 % validation, 20 % test."""
    share = int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) / 2**32
    return PARTS[0] if share < 0.7 else PARTS[1] if share < 0.8 else PARTS[2]


def samples(data: Path) -> list[Sample]:
    """List the images of all sets in a folder, sorted by path, each with its group and part."""
    found = []
    for name, grouping in GROUPING.items():
        files = sorted((data / name).glob("*/*.jpg"))
        paths = [PurePosixPath(path.relative_to(data / name)) for path in files]
        if grouping == "file":
            groups = [path.as_posix() for path in paths]
        else:
            table = data / name / grouping
            groups = group_keys(paths, table if table.is_file() else grouping)
        for path, group in zip(paths, groups, strict=True):
            group = f"{name}/{group}"
            found.append(Sample(f"{name}/{path}", group, part_of(group)))
    return found


def main() -> None:
    """Write the split as CSV and print how many images each part has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("split", type=Path)
    arguments = parser.parse_args()
    found = samples(arguments.data)
    with arguments.split.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["file", "group", "part"])
        rows.writerows((s.file, s.group, s.part) for s in found)
    for name in GROUPING:
        for part in PARTS:
            those = [s for s in found if s.set == name and s.part == part]
            fake = sum(s.fake for s in those)
            groups = len({s.group for s in those})
            print(f"{name:10} {part:10} {len(those) - fake:5} real {fake:5} fake {groups:5} groups")


if __name__ == "__main__":
    main()
