"""Writing verdicts as a table, CSV, JSON or JSON lines, one by one as they come."""

import codecs
import csv
import errno
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from rich.console import Console
from rich.text import Text

from mesonet.detector import DEEPFAKE, REAL, UNCERTAIN, Failure, Verdict
from mesonet.errors import InputError
from mesonet.files import writing

Result = Verdict | Failure
Writer = Callable[[Iterable[Result], TextIO, bool], None]

_COLUMNS = ["path", "label", "fake_probability", "raw_score", "model", "threshold"]
_COLUMNS += ["band_low", "band_high", "error"]
_COLORS = {REAL: "green", DEEPFAKE: "red", UNCERTAIN: "yellow"}


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Open a file that appears under its name only when everything is written, or stdout."""
    if path is None:
        is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
        errors = "surrogateescape" if is_utf8 else "backslashreplace"
        sys.stdout.reconfigure(errors=errors)  # type: ignore[union-attr]
        yield sys.stdout
        return
    check_output(path)
    with (
        writing(path) as partial,
        partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream,
    ):
        yield stream


def check_output(path: Path) -> None:
    """Raise an `InputError` where a file could not be written, before long work begins."""
    if path.is_dir():
        raise InputError(path, os.strerror(errno.EISDIR))
    if not os.access(path.parent, os.W_OK):
        code = errno.EACCES if path.parent.is_dir() else errno.ENOENT
        raise InputError(path.parent, os.strerror(code))


def printable(text: str) -> str:
    """Show control characters as escapes, so that a name can not pretend to be more than one.

    Bytes of a name that are no UTF-8 stay as they are.
    """
    return "".join(
        c if c.isprintable() or "\udc80" <= c <= "\udcff" else ascii(c)[1:-1] for c in text
    )


def print_left_out(what: str) -> None:
    """Say on standard error what could not be scored, and why."""
    print(f"mesonet: left out: {printable(what)}", file=sys.stderr)


def is_terminal(path: Path | None) -> bool:
    """Tell whether results scroll by on a terminal, which is progress enough."""
    return path is None and sys.stdout.isatty()


def write_table(results: Iterable[Result], stream: TextIO, with_probability: bool) -> None:
    """A line per image: label, fake probability, if asked for the label's percentage, path."""
    console = Console(file=stream, highlight=False, soft_wrap=True)
    percent = f"{'percent':>8}  " if with_probability else ""
    console.print(f"{'verdict':<9}  {'fake':>6}  {percent}image", style="bold")
    for result in results:
        if isinstance(result, Failure):
            blank = " " * len(percent)
            why = printable(f"{result.path}: {result.error}")
            line = Text(f"{'error':<9}  {'':>6}  {blank}{why}", "magenta")
        else:
            line = Text(f"{result.label:<9}", _COLORS[result.label])
            line.append(f"  {result.fake_probability:6.3f}  ", "default")
            if with_probability:
                line.append(f"{100 * result.probability:7.2f}%  ", "default")
            line.append(printable(result.path), "default")
        console.print(line)


def write_csv(results: Iterable[Result], stream: TextIO, with_probability: bool) -> None:
    """A row per image; the label's probability, in percent, only if asked for."""
    columns = [*_COLUMNS, *(["percent"] if with_probability else [])]
    writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for result in results:
        row = result.to_dict()
        if isinstance(result, Verdict):
            row["percent"] = 100 * result.probability
            row["band_low"], row["band_high"] = result.band or (None, None)
        writer.writerow(row)


class Record(Protocol):
    """What JSON is written of."""

    def to_dict(self) -> Mapping[str, object]:
        """Plain types only."""
        ...


def write_jsonl(
    results: Iterable[Record],
    stream: TextIO,
    with_probability: bool = False,  # noqa: ARG001 - always there
) -> None:
    """An object per line."""
    for result in results:
        stream.write(json.dumps(result.to_dict()) + "\n")


def write_json(
    results: Iterable[Record],
    stream: TextIO,
    with_probability: bool = False,  # noqa: ARG001 - always there
) -> None:
    """One list of the objects that JSON lines have."""
    separator = "[\n"
    for result in results:
        stream.write(separator + json.dumps(result.to_dict()))
        separator = ",\n"
    stream.write("[]\n" if separator == "[\n" else "\n]\n")


WRITERS: dict[str, Writer] = {
    "table": write_table,
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_jsonl,
}
