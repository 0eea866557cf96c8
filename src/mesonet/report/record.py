"""The record inside a report, from which another can verify it."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mesonet import __version__
from mesonet.checking import CAUTION, Checker
from mesonet.errors import ReportError

FORMAT = "mesonet-report/1"

_OPEN = '<script type="application/json" id="record">'
_CLOSE = "</script>"
_PACKAGES = ("numpy", "openvino", "opencv-python-headless", "pillow", "av", "c2pa-python")
_RECORD = re.compile(re.escape(_OPEN) + "(.*?)" + re.escape(_CLOSE), re.DOTALL)


def describe(checker: Checker) -> dict[str, Any]:
    """What has to be the same for the same results: model, settings and versions.

    What the model was trained on is left out; it is long, and changes no result.
    """
    detector = checker.detector
    settings = {"frames": checker.frames, "quick": checker.quick, "explain": checker.explain}
    description = detector.info.to_dict()
    del description["training_data"]
    return {
        "model": {
            "name": detector.name,
            "sha256": detector.sha256,
            "files": detector.hashes,
            "description": description,
        },
        "settings": settings,
        "settings_sha256": digest(settings | description),
        "versions": {"mesonet": __version__} | _versions(),
    }


def seal(made_by: Mapping[str, Any], checks: list[dict[str, Any]], page: "hashlib._Hash") -> str:
    """The record as an element of a page.

    Args:
        made_by: see `describe`.
        checks: see `mesonet.checking.Check.to_dict`.
        page: SHA-256 of everything that stands before the record.
    """
    record = {
        "format": FORMAT,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        **made_by,
        "limits": CAUTION,
        "checks": checks,
        "page_sha256": page.hexdigest(),
    }
    record["sha256"] = digest(record)
    text = json.dumps(record, ensure_ascii=True).replace("<", "\\u003c")
    return f"{_OPEN}{text}{_CLOSE}\n"


def unseal(page: str, name: str) -> tuple[dict[str, Any], str]:
    """Read the record of a page.

    Returns:
        The record, and everything that stands before it.

    Raises:
        ReportError: there is none, or it cannot be read.
    """
    found = _RECORD.search(page)
    if not found:
        raise ReportError(name, "holds no record of a mesonet report")
    try:
        record = json.loads(found[1])
        if record["format"] != FORMAT or not isinstance(record["checks"], list):
            raise ReportError(name, f"is no {FORMAT}")
    except (ValueError, KeyError, TypeError) as error:
        raise ReportError(name, f"its record cannot be read: {error}") from error
    return record, page[: found.start()]


def digest(values: Mapping[str, Any]) -> str:
    """SHA-256 of plain values, whatever the order of their names."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found
