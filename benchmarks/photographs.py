"""What `mesonet check` says of the people on ordinary photographs.

    python -m benchmarks.photographs PHOTOS --model standard

Everybody is real but on files whose name begins with ``fake`` or ``generated``.
"""

import argparse
import sys
from itertools import pairwise
from pathlib import Path

from benchmarks.common import markdown_table, write_page

from mesonet.checking import Checker, Person, Scale
from mesonet.detector import Detector
from mesonet.media import MEDIA_SUFFIXES

SIZES = (32, 48, 64, 96, 128, 100_000)
TEXT = """
# Ordinary photographs

Real people on photographs, by the longer side of their face in pixels: how many are given each
word by `mesonet check`, where small faces and verdicts that mild changes move are uncertain; in
brackets by the score alone.
"""


def main() -> None:
    """Check the photographs, count, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", action="append")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks/photographs.md"))
    options = parser.parse_args()
    paths = sorted(p for p in options.folder.iterdir() if p.suffix in MEDIA_SUFFIXES)
    parts = []
    for source in options.model or [Detector.default]:
        checker = Checker(source)
        scale = Scale.of(checker.detector.info)
        people: list[Person] = []
        for done, path in enumerate(paths, start=1):
            print(f"\r{checker.detector.name}: {done} of {len(paths)}", end="", file=sys.stderr)
            check = checker.check(path)
            scored = [p for p in check.people if p.fake_probability is not None]
            for person in scored:
                if scale.word(person.fake_probability or 0) == "strong_evidence":
                    size, held = person.best_face.quality.size, person.verdict
                    print(f"\n{path.name}: {size:.0f} px, {held}", file=sys.stderr)
            if not path.name.startswith(("fake", "generated")):
                people += scored
        parts += [f"## {checker.detector.name}", count(people, scale)]
    write_page(options.output, TEXT, *parts)


def count(people: list[Person], scale: Scale) -> str:
    """A row for each range of sizes, and one for all."""
    rows: list[list[object]] = []
    for low, high in [*pairwise(SIZES), (SIZES[0], SIZES[-1])]:
        these = [p for p in people if low <= p.best_face.quality.size < high]
        words = [p.verdict for p in these]
        alone = [scale.word(p.fake_probability or 0) for p in these]
        title = "all" if (low, high) == (SIZES[0], SIZES[-1]) else f"{low} and more"
        cells = [
            f"{words.count(word)} ({alone.count(word)})"
            for word in ("no_evidence", "uncertain", "some_evidence", "strong_evidence")
        ]
        rows.append([title, len(these), *cells])
    titles = ["pixels", "faces", "no evidence", "uncertain", "some evidence", "strong evidence"]
    return markdown_table(titles, rows)


if __name__ == "__main__":
    main()
