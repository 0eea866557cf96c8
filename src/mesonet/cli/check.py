"""``mesonet check``: people in photographs and clips, and what a detector makes of each."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesonet.cli.options import Model, Output

if TYPE_CHECKING:
    from mesonet.checking import Check


class Format(StrEnum):
    """How checks are written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def run(
    media: Annotated[
        list[str],
        typer.Argument(metavar="MEDIA...", help="Photographs, clips, folders or glob patterns."),
    ],
    model: Model = None,
    format: Annotated[Format, typer.Option(help="How checks are written.")] = Format.TEXT,  # noqa: A002
    output: Output = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a printable page with pictures to this HTML file.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames of a clip that are looked at.")] = 32,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Do not test whether verdicts on photographs hold."),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Say where the score of a photograph's most suspicious person came from.",
        ),
    ] = False,
) -> None:
    """Is somebody in these photographs or clips forged?

    Every person is found and judged alone; a medium's verdict is that of its most suspicious
    person. Where there is no usable face there is no score, and the reason is given. No evidence
    does not mean authentic. Media that cannot be read are named; the others are checked, and the
    exit code is 1.
    """
    import sys
    from collections import Counter
    from contextlib import ExitStack

    from mesonet.checking import Checker
    from mesonet.cli import check_output
    from mesonet.cli import output as files
    from mesonet.cli.progress import track
    from mesonet.images.finding import find_images
    from mesonet.images.left_out import describe_left_out
    from mesonet.media import MEDIA_SUFFIXES
    from mesonet.report import Report

    paths, problems = find_images(media, MEDIA_SUFFIXES)
    for problem in problems:
        files.print_left_out(str(problem))
    for left_out in describe_left_out(media, MEDIA_SUFFIXES):
        files.print_left_out(left_out)
    checker = Checker(model, frames=frames, quick=quick, explain=explain)
    counts: Counter[str] = Counter()
    page: Report | None = None

    def counted() -> Iterator["Check"]:
        checks = checker.check_all(paths, pictures=report is not None)
        for check in track(checks, len(paths), "checking", quiet=files.is_terminal(output)):
            counts[check.verdict or check.outcome] += 1
            if page:
                page.add(check)
            yield check

    with ExitStack() as stack:
        if report:
            files.check_output(report)
            page = stack.enter_context(Report(report, checker=checker))
        stream = stack.enter_context(files.open_output(output))
        check_output.WRITERS[format](counted(), stream)
    if report:
        print(f"report: {report}", file=sys.stderr)
    summary = ", ".join(f"{n} {word.replace('_', ' ')}" for word, n in sorted(counts.items()))
    print(
        f"{summary or 'no media'} (model {checker.detector.name})",
        file=sys.stdout if format is Format.TEXT and not output else sys.stderr,
    )
    if problems or counts["unreadable"] or not paths:
        raise typer.Exit(1)
