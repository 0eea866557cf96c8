"""Writing checks as text, CSV, JSON or JSON lines, one by one as they come."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from mesonet.checking import CAUTION, OUTCOMES, TEXTS, Check, Person
from mesonet.cli.output import printable
from mesonet.evidence import WORDS, Word

_COLORS: dict[Word | None, str] = {
    "no_evidence": "green",
    "uncertain": "yellow",
    "some_evidence": "red",
    "strong_evidence": "bold red",
    None: "magenta",
}
_COLUMNS = ["path", "kind", "outcome", "verdict", "fake_probability", "sha256", "model"]
_COLUMNS += ["person", "person_outcome", "person_verdict", "person_fake_probability"]
_COLUMNS += ["left", "top", "width", "height", "faces", "share_above", "longest_run", "notes"]


def write_text(checks: Iterable[Check], stream: TextIO) -> None:
    """A block for each medium with a line for each person; then what the words mean."""
    console = Console(file=stream, highlight=False, soft_wrap=True)
    used: dict[Word, str] = {}
    last: Check | None = None
    for last in checks:
        console.print(_heading(last))
        console.print(_summary(last))
        for person in last.people:
            console.print(_line(person))
            for found in person.explanations:
                console.print(Text(f"         {found.title}: {found.text}", "dim"))
        for note in last.notes:
            console.print(Text(f"  note: {printable(note)}", "dim"))
        console.print()
        for person in last.people:
            if person.verdict:
                used[person.verdict] = last.scale.meaning(person.verdict)
    for word in WORDS:
        if word in used:
            console.print(Text(f"{TEXTS[word]}: ", _COLORS[word]).append(used[word], "default"))
    if last and used:
        console.print(f"{last.scale.scope} {CAUTION}")


def _heading(check: Check) -> Text:
    file = check.file
    facts: list[str] = [check.kind] if check.kind else []
    if file.width and file.height:
        facts.append(f"{file.width} x {file.height} px")
    if file.duration is not None:
        facts.append(f"{file.duration:.1f} s")
    return Text(printable(check.path), "bold").append(f"  {', '.join(facts)}", "not bold")


def _summary(check: Check) -> Text:
    if check.verdict is None:
        return Text(f"  no score: {OUTCOMES[check.outcome]}", _COLORS[None])
    line = Text(f"  {TEXTS[check.verdict]}", _COLORS[check.verdict])
    line.append(f"  fake probability {check.fake_probability:.2f}", "default")
    if check.kind == "clip" and not check.scale.of_clips:
        line.append(", by the limits for single images", "dim")
    return line


def _line(person: Person) -> Text:
    left, top, width, height = person.box
    words = TEXTS[person.verdict] if person.verdict else OUTCOMES[person.outcome]
    score = "    " if person.fake_probability is None else f"{person.fake_probability:.2f}"
    line = Text(f"  {person.id:>3}  {score}  ").append(f"{words:<31}", _COLORS[person.verdict])
    line.append(f"  {width:.0f} x {height:.0f} px at {left:.0f}, {top:.0f}")
    first, last = person.faces[0].time, person.faces[-1].time
    if first is not None and last is not None:
        line.append(f"; {len(person.faces)} faces, {first:.1f} to {last:.1f} s")
    return line


def write_csv(checks: Iterable[Check], stream: TextIO) -> None:
    """A row for each person, and one for a medium without people."""
    writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for check in checks:
        writer.writerows(_rows(check))


def _rows(check: Check) -> Iterator[dict[str, Any]]:
    medium = {
        "path": check.path,
        "kind": check.kind,
        "outcome": check.outcome,
        "verdict": check.verdict,
        "fake_probability": check.fake_probability,
        "sha256": check.file.sha256,
        "model": check.model,
        "notes": "; ".join(check.notes),
    }
    for person in check.people:
        box = dict(zip(("left", "top", "width", "height"), person.to_dict()["box"], strict=True))
        yield (
            medium
            | box
            | {
                "person": person.id,
                "person_outcome": person.outcome,
                "person_verdict": person.verdict,
                "person_fake_probability": person.fake_probability,
                "faces": len(person.faces),
                "share_above": person.share_above,
                "longest_run": person.longest_run,
            }
        )
    if not check.people:
        yield medium


def write_jsonl(checks: Iterable[Check], stream: TextIO) -> None:
    """An object per line."""
    for check in checks:
        stream.write(json.dumps(check.to_dict()) + "\n")


def write_json(checks: Iterable[Check], stream: TextIO) -> None:
    """One list of the objects that JSON lines have."""
    separator = "[\n"
    for check in checks:
        stream.write(separator + json.dumps(check.to_dict()))
        separator = ",\n"
    stream.write("[]\n" if separator == "[\n" else "\n]\n")


WRITERS: dict[str, Callable[[Iterable[Check], TextIO], None]] = {
    "text": write_text,
    "csv": write_csv,
    "jsonl": write_jsonl,
    "json": write_json,
}
