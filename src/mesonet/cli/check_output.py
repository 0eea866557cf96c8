"""Writing checks as text, CSV, JSON or JSON lines, one by one as they come."""

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from mesonet.checking import (
    CAUTION,
    OUTCOMES,
    PROPOSITIONS,
    TEXTS,
    Check,
    Person,
    most_suspicious,
)
from mesonet.cli.output import printable, write_json, write_jsonl
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
_COLUMNS += ["meaning", "likelihood_ratio", "likelihood_low", "likelihood_high"]
_COLUMNS += ["left", "top", "width", "height", "faces", "share_above", "longest_run"]
_COLUMNS += ["kinds", "content_credentials", "made_by_ai", "ai_markers", "preview_differs", "notes"]
_NOTHING_TO_SAY = ("absent", "not_checked")


def write_text(checks: Iterable[Check], stream: TextIO) -> None:
    """A block for each medium with a line for each person; then what the words mean."""
    console = Console(file=stream, highlight=False, soft_wrap=True)
    used: dict[Word, str] = {}
    last: Check | None = None
    weighed = False
    for last in checks:
        console.print(_heading(last))
        console.print(_summary(last))
        for person in last.people:
            console.print(_line(person))
            for found in person.explanations:
                console.print(Text(f"         {found.title}: {found.text}", "dim"))
        for line in (_weight(last), _origin(last)):
            if line:
                console.print(Text(f"  {printable(line)}", "dim"))
        weighed = weighed or any(person.likelihood for person in last.people)
        for note in last.notes:
            console.print(Text(f"  note: {printable(note)}", "dim"))
        console.print()
        for person in last.people:
            if person.verdict:
                used[person.verdict] = last.scale.meaning(person.verdict)
    for word in WORDS:
        if word in used:
            console.print(Text(f"{TEXTS[word]}: ", _COLORS[word]).append(used[word], "default"))
    if weighed:
        first, second = PROPOSITIONS
        console.print(f"Likelihood ratios weigh two propositions. First: {first} Second: {second}")
    if last:
        console.print(f"{last.scale.scope} {CAUTION}" if used else last.scale.scope)


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


def _weight(check: Check) -> str | None:
    """The likelihood ratio of the person whose verdict the medium has."""
    person = most_suspicious(check.people)
    if person is None or person.likelihood is None:
        return None
    whose = f"person {person.id}: " if len(check.people) > 1 else ""
    return whose + person.likelihood.text.removesuffix(".")


def _origin(check: Check) -> str | None:
    """What the file says of its origin that bears on whether it can be believed."""
    if check.provenance is None:
        return None
    credentials, metadata = check.provenance.credentials, check.provenance.metadata
    said: list[str] = []
    if credentials.state not in _NOTHING_TO_SAY:
        said.append(f"Content Credentials: {credentials.text.removesuffix('.')}")
    if credentials.made_by_ai:
        said.append("made by AI, says the signer")
    if metadata:
        said += metadata.ai_markers
    if check.provenance.thumbnail and check.provenance.thumbnail.differs:
        said.append("the embedded preview shows something else than the picture")
    return f"origin: {'; '.join(said)}" if said else None


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
        "kinds": "; ".join(check.scale.kinds),
        "notes": "; ".join(check.notes),
    }
    if origin := check.provenance:
        medium |= {
            "content_credentials": origin.credentials.state,
            "made_by_ai": origin.credentials.made_by_ai,
            "ai_markers": "; ".join(origin.metadata.ai_markers) if origin.metadata else None,
            "preview_differs": origin.thumbnail.differs if origin.thumbnail else None,
        }
    for person in check.people:
        weight = person.likelihood
        box = dict(zip(("left", "top", "width", "height"), person.to_dict()["box"], strict=True))
        yield (
            medium
            | box
            | {
                "person": person.id,
                "person_outcome": person.outcome,
                "person_verdict": person.verdict,
                "person_fake_probability": person.fake_probability,
                "meaning": person.verdict and check.scale.meaning(person.verdict),
                "likelihood_ratio": weight and weight.ratio,
                "likelihood_low": weight and weight.low,
                "likelihood_high": weight and weight.high,
                "faces": len(person.faces),
                "share_above": person.share_above,
                "longest_run": person.longest_run,
            }
        )
    if not check.people:
        yield medium


WRITERS: dict[str, Callable[[Iterable[Check], TextIO], None]] = {
    "text": write_text,
    "csv": write_csv,
    "jsonl": write_jsonl,
    "json": write_json,
}
