"""``python -m tests.fire.fuzz clips|images|models|requests``: bad input, searched for by coverage.

atheris (from PyPI, not among the dependencies) changes good input wherever that leads to lines of
ours which were not reached before. What was not withstood is printed and kept in a folder.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris

Door = tuple[Iterable[bytes], Callable[[bytes], str | None]]


def _images(_: Path) -> Door:
    from tests.fire import images

    return [*images.good(), *images.crafted()[:-3]], images.hold


def _clips(_: Path) -> Door:
    from tests.fire import clips

    return clips.good(), clips.hold


def _models(folder: Path) -> Door:
    """The first byte says what the rest is: a file, a checkpoint, or a network's description."""
    from tests.fire import models
    from tests.small_models import sequential, write_keras

    def hold(data: bytes) -> str | None:
        kind, rest = data[:1], data[1:]
        path = folder / ("model" + (models.CHECKPOINT if kind == b"p" else ""))
        if kind == b"c":
            write_keras(path, rest.decode("utf-8", "replace"))
        else:
            path.write_bytes(rest)
        return models.hold(path)

    good = [
        (b"p" if path.suffix == models.CHECKPOINT else b"f") + path.read_bytes()
        for path in models.good(folder)
    ]
    files = [path for path in models.crafted(folder / "crafted") if path.is_file()]
    crafted = [b"f" + path.read_bytes() for path in files]
    return [*good, *crafted, b"c" + repr(sequential()).replace("'", '"').encode()], hold


def _requests(folder: Path) -> Door:
    from tests.fire import web

    site = web.Site(folder)
    for request in web.good():
        site.hold(request)  # which imports what Django imports late
    return web.good(), site.hold


DOORS = {
    "clips": (_clips, ["mesonet"]),
    "images": (_images, ["mesonet"]),
    "models": (_models, ["mesonet"]),
    "requests": (_requests, ["mesonet_site", "waitress"]),
}
"""Each with the packages whose lines are counted."""


def main() -> None:
    """Search for some time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("door", choices=DOORS)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--found", type=Path, default=Path("found"))
    options = parser.parse_args()
    options.found.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        door, followed = DOORS[options.door]
        with atheris.instrument_imports(include=followed):
            seeds, hold = door(folder)
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(seeds):
            (corpus / f"{number:04}").write_bytes(seed)
        told: set[str] = set()

        def try_one(data: bytes) -> None:
            wrong = hold(data)
            if wrong and wrong[:60] not in told:
                told.add(wrong[:60])
                name = hashlib.sha256(data).hexdigest()[:16]
                (options.found / f"{options.door}-{name}").write_bytes(data)
                print(f"{options.door} {name}: {wrong}", flush=True)

        limits = ["-max_len=65536", "-timeout=60", "-rss_limit_mb=4096", "-print_final_stats=1"]
        limits.append(f"-max_total_time={options.seconds}")
        limits.append(f"-artifact_prefix={options.found}/")
        atheris.Setup([sys.argv[0], *limits, str(corpus)], try_one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
