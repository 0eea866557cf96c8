"""Doing again what a report says, and telling what is equal and what is not."""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesonet.checking import Checker
from mesonet.errors import ReportError
from mesonet.files import file_hash
from mesonet.report.record import describe, digest, unseal

_CLOSE = 1e-4
_SHOWN = 5
# May differ without anything being wrong: names of files, and what depends on the day
_PASSING = {"path", "model.name", "provenance.content_credentials.trust_list"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was compared.

    Attributes:
        what: its name.
        equal: None where it could not be compared, or where a difference need not matter.
        text: what was found.
    """

    what: str
    equal: bool | None
    text: str


def verify_report(
    report: str | os.PathLike[str],
    media: Sequence[str | os.PathLike[str]],
    model: str | os.PathLike[str] | None = None,
) -> Iterator[Finding]:
    """Compare a report with media, the model that is here, and results that are computed anew.

    Hashes find what was changed by accident or by hand. They are no signature: who rewrites the
    whole report can make them fit, and then only the results that are computed anew can tell.

    Args:
        report: the HTML file.
        media: the files that it is about, in any order.
        model: name or file of the model; by default the name in the report.

    Raises:
        ReportError: the page holds no readable record.
        mesonet.errors.ModelFileError: no such model.
    """
    path = Path(report)
    try:
        page = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(path, getattr(error, "strerror", None) or "is no text") from error
    record, before = unseal(page, os.fspath(path))
    yield from _whole(record, before)
    checker = _checker(record, model)
    here = _plain(describe(checker))
    same_model = True
    for finding in _setting(record, here):
        same_model &= finding.equal is not False
        yield finding
    known = {check["file"]["sha256"]: check for check in record["checks"]}
    for medium in media:
        sha256 = file_hash(medium)
        name = os.fspath(medium)
        if sha256 not in known:
            yield Finding("medium", False, f"{name} is none of the files in the report: {sha256}")
            continue
        yield Finding("medium", True, f"{name} is the file in the report: {sha256}")
        if same_model:
            yield _compare(name, known[sha256], _plain(checker.check(medium).to_dict()))
        else:
            yield Finding("result", None, f"{name} was not checked again: the model is another")


def _whole(record: dict[str, Any], before: str) -> Iterator[Finding]:
    """Whether record and page are as they were written."""
    rest = {name: value for name, value in record.items() if name != "sha256"}
    for what, equal in (
        ("record", digest(rest) == record.get("sha256")),
        ("page", hashlib.sha256(before.encode()).hexdigest() == record.get("page_sha256")),
    ):
        yield Finding(what, equal, "as it was written" if equal else "was changed after writing")


def _checker(record: dict[str, Any], model: str | os.PathLike[str] | None) -> Checker:
    try:
        name, settings = record["model"]["name"], record["settings"]
        return Checker(
            model or name,
            frames=settings["frames"],
            quick=settings["quick"],
            explain=settings["explain"],
        )
    except (KeyError, TypeError) as error:
        raise ReportError("record", f"does not say how it was made: {error}") from error


def _setting(record: dict[str, Any], here: dict[str, Any]) -> Iterator[Finding]:
    there, ours = (
        {name: made_by["model"].get(name) for name in ("sha256", "files")}
        for made_by in (record, here)
    )
    same = there["sha256"] == ours["sha256"]
    what = (
        f"the same: {ours['sha256']}" if same else f"another: {_list([*_differences(there, ours)])}"
    )
    yield Finding("model", same, f"{here['model']['name']} is {what}")
    described = _differences(record["model"].get("description"), here["model"]["description"])
    differences = [text for text in described if not text.startswith("training_data")]  # of 0.2
    yield Finding("model's description", not differences, _list(differences) or "the same")
    differences = list(_differences(record.get("versions"), here["versions"]))
    text = _list(differences) or "the same"
    yield Finding("versions", None if differences else True, text)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """As they come back from JSON."""
    return dict(json.loads(json.dumps(values)))


def _compare(name: str, there: dict[str, Any], here: dict[str, Any]) -> Finding:
    differences = [
        difference
        for difference in _differences(there, here)
        if difference.partition(":")[0] not in _PASSING
    ]
    text = f"{name}: " + (_list(differences) or f"checked again, the same to {_CLOSE:g}")
    return Finding("result", not differences, text)


def _differences(there: Any, here: Any, name: str = "") -> Iterator[str]:
    """Where two plain values differ, as ``people[0].verdict: report A, now B``."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in dict.fromkeys([*there, *here]):
            below = f"{name}.{key}" if name else str(key)
            yield from _differences(there.get(key), here.get(key), below)
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for place, (first, second) in enumerate(zip(there, here, strict=True)):
            yield from _differences(first, second, f"{name}[{place}]")
    elif not _equal(there, here):
        yield f"{name}: report {there!r}, now {here!r}"


def _equal(there: Any, here: Any) -> bool:
    numbers = [type(value) in (int, float) for value in (there, here)]
    if all(numbers):
        return math.isclose(there, here, rel_tol=_CLOSE, abs_tol=_CLOSE)
    return bool(there == here)


def _list(differences: Sequence[str]) -> str:
    text = "; ".join(differences[:_SHOWN])
    more = len(differences) - _SHOWN
    return f"{text}; and {more} more" if more > 0 else text
