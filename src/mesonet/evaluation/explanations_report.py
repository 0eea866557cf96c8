"""The exam of explanations as a page in Markdown."""

from collections.abc import Sequence
from typing import Any

from mesonet.evaluation.explanations import PRIOR, RANDOM
from mesonet.explanations import CAPTION, METHODS

_COLUMNS = {
    "pointing": "pointing",
    "gain": "pointing less the prior's",
    "energy": "energy inside",
    "deletion": "deletion (low is good)",
    "insertion": "insertion (high is good)",
}


def render_exams(exams: Sequence[dict[str, Any]]) -> str:
    """Write the page: a table for each model and kind of forgery.

    Args:
        exams: see `mesonet.evaluation.explanations.run_exam`, each with its ``command``.
    """
    parts = ["# Do explanations point at the forgery?\n", _INTRODUCTION]
    for exam in exams:
        parts.append(f"## {exam['model']}\n\n{_outcome(exam)}\n")
        parts.append(f"    {exam['command']}\n")
        parts += [_table(kind, figures) for kind, figures in exam["kinds"].items()]
    return "\n".join(parts)


_INTRODUCTION = f"""A map says: {CAPTION[0].lower()}{CAPTION[1:]}
Whether the two agree is measured here, on forgeries whose place is known. Only forgeries that the
model calls so take part.

- *Pointing*: how often the map's largest value lies on what was altered. The *face prior* knows
  nothing but where the face is, and *random* is smooth noise.
- *Energy inside*: share of the values above 0 that lies there.
- *Deletion*, *insertion*: mean fake probability while the pixels that the map ranks first are
  blurred first, or come back first.

A method is offered for a model only if its pointing on self-blended faces beats the face prior's by
the margin. Intervals (95 %) are over groups, drawn with replacement.
"""


def _outcome(exam: dict[str, Any]) -> str:
    passed = ", ".join(METHODS[name].title for name in exam["passed"])
    margin = f"{exam['margin']:.2f}".lstrip("0")
    if not passed:
        return f"**No method is offered**: none beats the face prior by {margin}."
    return f"**Offered: {passed}** (beats the face prior by {margin} or more)."


def _table(kind: str, figures: dict[str, Any]) -> str:
    lines = [
        f"### {kind}\n",
        f"{figures['count']} faces of {figures['groups']} groups; on average "
        f"{figures['area']:.0%} of the crop is altered.\n",
        f"| method | {' | '.join(_COLUMNS.values())} |",
        "| --- " * (len(_COLUMNS) + 1) + "|",
    ]
    for name, measured in figures["methods"].items():
        title = name if name in (PRIOR, RANDOM) else METHODS[name].title
        cells = " | ".join(_cell(measured[column]) for column in _COLUMNS)
        lines.append(f"| {title} | {cells} |")
    return "\n".join(lines) + "\n"


def _cell(figure: dict[str, float | None]) -> str:
    value, low, high = (figure[key] for key in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return "-"
    return f"{_short(value)} ({_short(low)} to {_short(high)})"


def _short(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1)
