"""``mesonet check``: people in photographs and clips, and what a detector makes of each."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesonet.cli.options import (
    CLIPS,
    IMAGES,
    Address,
    Column,
    DryRun,
    Engine,
    EngineOption,
    Limit,
    Listed,
    MaxErrorShare,
    Model,
    Output,
    Resume,
    ShardSize,
    Workers,
)

if TYPE_CHECKING:
    from mesonet.checking import Check


class Format(StrEnum):
    """How checks are written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


def run(
    media: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MEDIA...",
            help=f"Photographs ({IMAGES}), clips ({CLIPS}), folders or glob patterns; s3:// and "
            "gs://.",
        ),
    ] = None,
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
    listed: Listed = None,
    column: Column = "path",
    limit: Limit = None,
    dry_run: DryRun = False,
    max_error_share: MaxErrorShare = None,
    resume: Resume = False,
    shard_size: ShardSize = 100,
    engine: EngineOption = Engine.LOCAL,
    address: Address = None,
    workers: Workers = None,
) -> None:
    """Is somebody in these photographs or clips forged?

    Every person is found and judged alone; a medium's verdict is that of its most suspicious
    person. Where there is no usable face there is no score, and the reason is given. No evidence
    does not mean authentic. Media that cannot be read are named; the others are checked, and the
    exit code is 1.
    """
    import sys
    from contextlib import ExitStack
    from functools import partial

    from mesonet.bulk.outcome import Outcome
    from mesonet.bulk.reading import checks
    from mesonet.cli.bulk import Run, Source, print_plan, refuse_without_parquet, write_parts
    from mesonet.errors import ArgumentError
    from mesonet.media import MEDIA_SUFFIXES

    source = Source(media or [], MEDIA_SUFFIXES, listed, column, limit)
    settings = Run(output, resume, shard_size, engine, address, workers, max_error_share, dry_run)
    if format is Format.PARQUET:
        from mesonet.bulk.scoring import CheckScorer

        if report:
            raise ArgumentError("--report has a page for a few media, not for --format parquet")
        write_parts(partial(CheckScorer, model, frames, quick, explain), source, settings)
        return
    refuse_without_parquet(settings)
    if dry_run:
        print_plan(source.items())
        return

    from mesonet.checking import Checker
    from mesonet.cli import check_output
    from mesonet.cli import output as files
    from mesonet.cli.progress import MediaBar
    from mesonet.faces import CenterFace
    from mesonet.media.clip import CLIP_SUFFIXES
    from mesonet.parallel import cores

    found = list(source.items())
    problems = [item for item in found if item.error is not None]
    items = [item for item in found if item.error is None]
    for problem in problems:
        files.print_left_out(f"{problem.path}: {problem.error}")
    source.print_left_out()
    is_one_photo = len(items) == 1 and not items[0].path.lower().endswith(tuple(CLIP_SUFFIXES))
    faces = CenterFace(streams=1 if is_one_photo else cores())
    checker = Checker(model, faces=faces, frames=frames, quick=quick, explain=explain)
    outcome = Outcome()
    page = None

    def counted() -> Iterator["Check"]:
        bar = MediaBar(len(items), pauses=files.is_terminal(output))
        found = checks(checker, items, pictures=report is not None, progress=bar.look)
        for check in bar.track(found):
            outcome.add(check.verdict or check.outcome, check.outcome == "unreadable")
            outcome.check_errors(max_error_share)
            if page:
                page.add(check)
            yield check

    with ExitStack() as stack:
        if report:
            from mesonet.report import Report

            files.check_output(report)
            page = stack.enter_context(Report(report, checker=checker))
        stream = stack.enter_context(files.open_output(output))
        check_output.WRITERS[format](counted(), stream)
    if report:
        print(f"report: {report}", file=sys.stderr)
    print(
        f"{outcome.summary or 'no media'} (model {checker.detector.name})",
        file=sys.stdout if format is Format.TEXT and not output else sys.stderr,
    )
    if outcome.has_errors(max_error_share) or problems or not items:
        raise typer.Exit(1)
