"""The tree of ``docs/architecture.md`` and the folders are the same."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
EVERY_APP = {"__init__.py", "__main__.py", "apps.py", "urls.py", "views.py"}


def listed():
    """Every path that the tree names; what is named beside a folder lies in it."""
    tree = (ROOT / "docs" / "architecture.md").read_text().split("```")[1]
    folders = {-1: Path()}
    for line in tree.strip().splitlines():
        depth = (len(line) - len(line.lstrip())) // 4
        first, _, rest = line.strip().partition(" ")
        path = folders[depth - 1] / first.rstrip(",")
        yield path
        folders[depth] = path if first.endswith("/") else folders[depth - 1]
        yield from (folders[depth] / name for name in re.findall(r"\b\w+\.py\b", rest))


def test_the_tree_names_what_there_is():
    missing = [str(path) for path in listed() if not (ROOT / path).exists()]
    assert not missing


def test_every_module_is_in_the_tree():
    known = set(listed())
    modules = {
        path.relative_to(ROOT)
        for top in ("src", "recipes")
        for path in (ROOT / top).rglob("*.py")
        if path.name not in EVERY_APP
        and not re.match(r"test_|conftest", path.name)
        and "migrations" not in path.parts
        and path.parent.name != "cli"  # a module for each command
    }
    assert modules > {Path("src/mesonet/detector.py"), Path("recipes/guide_sample.py")}
    assert not sorted(map(str, modules - known))
