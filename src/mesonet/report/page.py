"""Writing the page, one medium after the other, so that any number of them fits into memory."""

import base64
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from mesonet import __version__
from mesonet.checking import (
    CAUTION,
    LIKELIHOOD_MEANING,
    OUTCOMES,
    PROPOSITIONS,
    TEXTS,
    Check,
    Checker,
    Person,
)
from mesonet.evidence import WORDS
from mesonet.files import writing
from mesonet.report.record import describe, seal
from mesonet.report.timeline import Timeline

_ERRORS = "backslashreplace"
_SCENE_SIDE = 1000
_CROP_SIDE = 176
_FRAME_SIDE = 200
_SHAPES = {"no_evidence": "○", "uncertain": "◇", "some_evidence": "▲", "strong_evidence": "■"}


class Report:
    """A page that is being written; it appears under its name when it is complete.

    Args:
        path: the HTML file.
        heading: the page's title.
        checker: made the checks; with it the page holds a record that `mesonet verify-report` can
            verify.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        heading: str = "What the check found",
        checker: Checker | None = None,
    ) -> None:
        self._path = Path(path)
        self._heading = heading
        self._media = 0
        self._made_by = describe(checker) if checker else None
        self._checks: list[dict[str, Any]] = []
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        self._page = self._write_page()
        self._page.__enter__()
        return self

    def add(
        self, check: Check, title: str | None = None, truths: Mapping[int, str] | None = None
    ) -> None:
        """Write what was found in a medium, which was checked with ``pictures``.

        Args:
            check: the record.
            title: what the medium is called; by default its path.
            truths: what is known to be true of a person, by the person's id.
        """
        self._media += 1
        self._checks.append(check.to_dict())
        self._write(
            "medium.html",
            number=self._media,
            check=check,
            title=title or check.path,
            truths=truths or {},
            scene=_Scene(check) if check.pictures else None,
            people=[_card(check, person) for person in check.people],
            frames=_frames(check),
            facts=_facts(check),
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._page.__exit__(kind, error, trace)

    @contextmanager
    def _write_page(self) -> Iterator[None]:
        with (
            writing(self._path) as partial,
            partial.open("w", encoding="utf-8", errors=_ERRORS, newline="") as self._file,
        ):
            self._write("head.html", heading=self._heading, caution=CAUTION)
            yield
            time = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
            record = ""
            if self._made_by:
                self._write("made_by.html", **self._made_by)
                record = seal(self._made_by, self._checks, self._hash)
            self._write("foot.html", version=__version__, time=time, record=Markup(record))  # noqa: S704 - JSON

    def _write(self, template: str, **values: Any) -> None:
        text = _templates().get_template(template).render(**values)
        self._hash.update(text.encode(errors=_ERRORS))
        self._file.write(text)


def write_report(
    path: str | os.PathLike[str], checks: Iterable[Check], heading: str = "What the check found"
) -> None:
    """Write a page of checks that were made with ``pictures``."""
    with Report(path, heading) as report:
        for check in checks:
            report.add(check)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("mesonet.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(texts=TEXTS, outcomes=OUTCOMES, words=WORDS, shapes=_SHAPES)
    templates.globals.update(propositions=PROPOSITIONS, likelihood_meaning=LIKELIHOOD_MEANING)
    templates.filters["number"] = lambda value: f"{value:.2f}"
    return templates


class _Scene:
    """The picture with the boxes of those who are on it."""

    def __init__(self, check: Check) -> None:
        pictures = check.pictures
        assert pictures is not None  # noqa: S101 - the caller has looked
        self.image = jpeg(pictures.scene, _SCENE_SIDE)
        self.height, self.width = pictures.scene.shape[:2]
        self.is_frame = check.kind == "clip"
        self.unit = max(self.width, self.height) / 100
        self.boxes = []
        for person in check.people:
            here = [face for face in person.faces if face.frame == pictures.scene_frame]
            for face in here:
                left, top, width, height = (side * pictures.scene_scale for side in face.box)
                self.boxes.append((person, left, top, width, height))
        times = dict(check.frames_seen)
        self.time = times.get(pictures.scene_frame)


def _card(check: Check, person: Person) -> dict[str, Any]:
    crops = check.pictures.crops if check.pictures else {}
    crop = crops.get(person.id)
    return {
        "person": person,
        "crop": None if crop is None else jpeg(crop, _CROP_SIDE),
        "meaning": check.scale.meaning(person.verdict) if person.verdict else None,
        "timeline": Timeline(check, person) if person.verdict and len(person.faces) > 1 else None,
        "maps": {
            name: jpeg(picture, _CROP_SIDE)
            for name, picture in (check.pictures.maps if check.pictures else {}).items()
        },
        "scored": sum(face.fake_probability is not None for face in person.faces),
    }


def _frames(check: Check) -> list[dict[str, Any]]:
    if not check.pictures:
        return []
    times = dict(check.frames_seen)
    return [
        {"number": number, "time": times[number], "image": jpeg(picture, _FRAME_SIDE, quality=70)}
        for number, picture in check.pictures.frames.items()
    ]


def _facts(check: Check) -> list[tuple[str, str]]:
    file = check.file
    facts = {
        "SHA-256": file.sha256,
        "size": None if file.bytes is None else f"{file.bytes:,} bytes",
        "format": file.format and f"{file.format} {file.codec or ''}".strip(),
        "picture": f"{file.width} x {file.height} px" if file.width and file.height else None,
        "duration": None if file.duration is None else f"{file.duration:.2f} s",
        "frames": None if file.frames is None else f"{file.frames:,}",
        "looked at": f"{len(check.frames_seen)} frames" if check.frames_seen else None,
    }
    return [(name, value) for name, value in facts.items() if value]


def jpeg(picture: NDArray[np.uint8], side: int, quality: int = 82) -> str:
    """A picture as a data address, scaled down to a longer side of so many pixels."""
    image = Image.fromarray(picture)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
