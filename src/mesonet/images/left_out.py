"""What searching a folder passes over although somebody may have meant it to be looked at."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from mesonet.images.finding import walk

_SUFFIXES = {
    "PDF": ".pdf",
    "SVG": ".svg .svgz",
    "HEIC": ".heic .heif",
    "video": ".mp4 .m4v .mov .3gp .3g2 .webm .mkv .avi .mpg .mpeg .mts .m2ts .flv .ogv .wmv .asf",
}
_KINDS = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_ADVICE = {
    "PDF": "export its pages as images",
    "SVG": "a drawing, no photograph",
    "HEIC": "install mesonet[heic]",
    "video": "see 'mesonet check'",
}
_UNNAMED = "name it, or give it its suffix"


def describe_left_out(
    inputs: Iterable[str | os.PathLike[str]], suffixes: Collection[str]
) -> list[str]:
    """Name and count what `find_images` with these suffixes passes over in folders.

    A file with a known suffix is told by that, one without a suffix by how its content begins.
    Text, tables and other files that hold no picture are not mentioned.

    Returns:
        A sentence fragment for each kind, such as ``"2 PDF: a.pdf, b.pdf (export its pages as
        images)"``; of many files the first three are named.
    """
    kinds: dict[str, list[str]] = {}
    for given in inputs:
        name = os.fspath(given)
        if not name or not Path(name).is_dir():
            continue
        for path, is_folder in walk(name, []):
            suffix = Path(path).suffix.lower()
            if is_folder or suffix in suffixes:
                continue
            kind = _KINDS.get(suffix) or ("" if suffix else _kind_by_content(path))
            if kind:
                kinds.setdefault(kind, []).append(path)
    return [
        f"{len(paths)} {kind}: {', '.join(paths[:3])}{', ...' if len(paths) > 3 else ''}"
        f" ({_ADVICE.get(kind, _UNNAMED)})"
        for kind, paths in sorted(kinds.items())
    ]


def _kind_by_content(path: str) -> str:
    """Name the kind of a file without a suffix; empty where it is none that counts."""
    try:
        if not Path(path).is_file():
            return ""
        with Path(path).open("rb") as file:
            start = file.read(512)
    except OSError:
        return ""
    for mark, kind in (
        (b"%PDF-", "PDF"),
        (b"\xff\xd8\xff", "JPEG without suffix"),
        (b"\x89PNG\r\n", "PNG without suffix"),
        (b"GIF8", "GIF without suffix"),
        (b"\x1aE\xdf\xa3", "video"),
    ):
        if start.startswith(mark):
            return kind
    if start[4:8] == b"ftyp":
        brand = start[8:12]
        if brand in {b"avif", b"avis"}:
            return "AVIF without suffix"
        return "HEIC" if brand in {b"heic", b"heix", b"mif1", b"msf1", b"hevc"} else "video"
    if start.startswith(b"RIFF"):
        return {b"WEBP": "WebP without suffix", b"AVI ": "video"}.get(start[8:12], "")
    return "SVG" if b"<svg" in start else ""
