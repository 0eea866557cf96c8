"""What `mesonet audit` found in the sets, as a page, and whether look-alikes cross the split.

mesonet audit DATA/ffpp --groups pair --format json --output ffpp.json python -m benchmarks.audits
ffpp.json --split recipes/detector/split.csv
"""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.common import write_page

from mesonet.files import read_table

TEXT = """
# What the sets give away

`mesonet audit` of each set, whole, before anything is trained on it. Where a finding says that
some property tells the classes apart, training takes it away: every view is framed, scaled and
compressed anew, in both classes alike. "Across the split" counts images of the test part that
look nearly like one of the training part.

    mesonet audit DATA/mesonet --groups video --format json --output mesonet.json
    mesonet audit DATA/ffpp --groups pair --format json --output ffpp.json
    mesonet audit DATA/ciplab --groups DATA/ciplab/groups.csv --format json --output ciplab.json
    mesonet audit DATA/dfdc --groups DATA/dfdc/groups.csv --format json --output dfdc.json
    mesonet audit DATA/synthetic --format json --output synthetic.json
"""


def main() -> None:
    """Read the audits and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("audits", nargs="+", type=Path)
    parser.add_argument("--split", type=Path, required=True, help="columns file and part")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks/audit.md"))
    options = parser.parse_args()
    part_of = {file: part for file, (part,) in read_table(options.split, ["part"]).items()}
    parts: list[str] = []
    for path in options.audits:
        audit = json.loads(path.read_text())
        root = Path(audit["folder"])
        parts += [f"## {root.name}", *(text.replace(f"{root}: ", "") for text in audit["summary"])]
        parts += [f"- {f['severity']}: {f['text']} {f['effect']}" for f in audit["findings"]]
        parts.append(audit["verdict"])
        parts += across_the_split(audit["findings"], root, part_of)
    write_page(options.output, TEXT, *parts)


def across_the_split(
    findings: list[dict[str, Any]], root: Path, part_of: dict[str, str]
) -> list[str]:
    """A sentence where clusters of look-alikes have images in the training and the test part."""
    of_one_class, of_both = set(), set()
    for together in (cluster for finding in findings for cluster in finding["images"]):
        names = [Path(image).relative_to(root.parent).as_posix() for image in together]
        trained = {Path(name).parent for name in names if part_of[name] == "train"}
        for name in (name for name in names if part_of[name] == "test"):
            if Path(name).parent in trained:
                of_one_class.add(name)
            elif trained:
                of_both.add(name)
    if not of_one_class | of_both:
        return []
    total = sum(p == "test" and n.startswith(f"{root.name}/") for n, p in part_of.items())
    return [
        f"Across the split: of {total:,} test images {len(of_one_class)} look like a training "
        f"image of their class, which makes figures too good, and {len(of_both)} like one of the "
        "other class only, which does the contrary."
    ]


if __name__ == "__main__":
    main()
