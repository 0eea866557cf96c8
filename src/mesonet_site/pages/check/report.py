"""A result as one file that needs no server."""

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.safestring import SafeString, mark_safe

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
