"""A result as one file that needs no server."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from mesonet.report.record import seal
from mesonet_site.api.people import read_picture

_STYLE = Path(__file__).parents[1] / "static" / "pages" / "page.css"


@cache
def stylesheet() -> SafeString:
    """The pages' own style, to stand within the file."""
    return mark_safe(_STYLE.read_text(encoding="utf-8"))  # noqa: S308 - it is our own


def embedded(pictures: Mapping[str, Any] | None, folder: str, index: int) -> dict[str, Any] | None:
    """The pictures of a check with their content in place of addresses.

    Args:
        pictures: as the API gives them; None where there are none.
        folder: where those of the detection are kept.
        index: the upload's number within the detection.
    """
    if pictures is None:
        return None

    def data(name: str) -> str:
        content = base64.b64encode(read_picture(folder, index, name)).decode()
        return f"data:image/jpeg;base64,{content}"

    return {
        **pictures,
        "scene": data("scene"),
        "crops": {number: data(f"person-{number}") for number in pictures["crops"]},
        "frames": {number: data(f"frame-{number}") for number in pictures["frames"]},
        "maps": {method: data(f"map-{method}") for method in pictures.get("maps", ())},
    }


def made_by(records: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Model, settings and versions, as of `mesonet.report.record.describe`.

    None where they are not the same for all records, or not known: those of faces that were scored
    as they are, and of checks before this was kept.
    """
    makers = [record.get("made_by") for record in records]
    return makers[0] if makers and all(maker == makers[0] for maker in makers) else None


def sealed(page: str, maker: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> str:
    """The page with a record that `mesonet verify-report` can verify.

    Args:
        page: everything else, to the end of the document.
        maker: as of `made_by`.
        records: as a `mesonet_site.api.models.Detection` keeps them.
    """
    checks = [
        {name: record[name] for name in record if name not in ("made_by", "pictures")}
        for record in records
    ]
    before, end, after = page.rpartition("</body>")
    record = seal(maker, checks, hashlib.sha256(before.encode()))
    return f"{before}{record}{end}{after}"
