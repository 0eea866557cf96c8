"""``mesonet predict``: verdicts on images."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesonet.cli.options import (
    IMAGES,
    Address,
    Architecture,
    BatchSize,
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
    Threshold,
    Workers,
)

if TYPE_CHECKING:
    from mesonet.detector import Failure, Verdict


class Format(StrEnum):
    """How verdicts are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


def run(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT...",
            help=f"Images ({IMAGES}), folders or glob patterns; s3:// and gs://.",
        ),
    ] = None,
    model: Model = None,
    architecture: Architecture = None,
    threshold: Threshold = None,
    include_probabilities: Annotated[
        bool,
        typer.Option(
            "--include-probabilities", "-p", help="Add the probability of the label, in percent."
        ),
    ] = False,
    classification_report: Annotated[
        bool,
        typer.Option(
            "--classification-report",
            "-cl",
            help="Add precision, recall and F1 of the calls at the threshold, uncertain ones too; "
            "INPUT is one folder with two class folders.",
        ),
    ] = False,
    format: Annotated[Format, typer.Option(help="How verdicts are written.")] = Format.TABLE,  # noqa: A002
    output: Output = None,
    batch_size: BatchSize = 8,
    listed: Listed = None,
    column: Column = "path",
    limit: Limit = None,
    dry_run: DryRun = False,
    max_error_share: MaxErrorShare = None,
    resume: Resume = False,
    shard_size: ShardSize = 1000,
    engine: EngineOption = Engine.LOCAL,
    address: Address = None,
    workers: Workers = None,
) -> None:
    """Tell real from manipulated images with a trained detector.

    The fake probability is 0 for surely real and 1 for surely manipulated. A calibrated model
    calls an image uncertain where it would err too often, unless --threshold is given. Images
    that cannot be read are named; the others are scored, and the exit code is 1.
    """
    import sys
    from functools import partial

    from mesonet.bulk.outcome import Outcome
    from mesonet.bulk.reading import verdicts
    from mesonet.cli.bulk import Run, Source, print_plan, refuse_without_parquet, write_parts
    from mesonet.cli.output import WRITERS, is_terminal, open_output
    from mesonet.cli.progress import track
    from mesonet.detector import DEEPFAKE, REAL, Detector, Verdict
    from mesonet.errors import ArgumentError
    from mesonet.images.finding import IMAGE_SUFFIXES

    truth = _true_labels(inputs or []) if classification_report else {}
    source = Source(inputs or [], IMAGE_SUFFIXES, listed, column, limit)
    settings = Run(output, resume, shard_size, engine, address, workers, max_error_share, dry_run)
    name = model or Detector.default
    if format is Format.PARQUET:
        from mesonet.bulk.scoring import VerdictScorer

        if truth or include_probabilities:
            raise ArgumentError("--format parquet has no report, and always the probabilities")
        load = partial(VerdictScorer, name, architecture, threshold, batch_size)
        write_parts(load, source, settings)
        return
    refuse_without_parquet(settings)
    if dry_run:
        print_plan(source.items())
        return
    items = list(source.items())
    source.print_left_out()
    detector = Detector.load(name, architecture=architecture)
    outcome = Outcome()
    pairs: list[tuple[str, str]] = []

    def counted() -> Iterator["Verdict | Failure"]:
        found = verdicts(detector, items, threshold=threshold, batch_size=batch_size)
        for result in track(found, len(items), "scoring", quiet=is_terminal(output)):
            outcome.add(result.label or "unreadable", not result.ok)
            outcome.check_errors(max_error_share)
            if isinstance(result, Verdict) and result.path in truth:
                pairs.append((truth[result.path], DEEPFAKE if result.called_fake else REAL))
            yield result

    with open_output(output) as stream:
        WRITERS[format](counted(), stream, include_probabilities)
    limit_ = detector.info.threshold if threshold is None else threshold
    text = f"{outcome.summary or 'no images'} (model {detector.name}, threshold {limit_:.3g}"
    if detector.info.band and threshold is None:
        text += ", uncertain from {:.3g} to {:.3g}".format(*detector.info.band)
    text += ")"
    if pairs:
        from mesonet.model import get_classification_report

        true, called = zip(*pairs, strict=True)
        text += "\n\n" + get_classification_report(true, called)
    print(text, file=sys.stdout if format is Format.TABLE and not output else sys.stderr)
    if outcome.has_errors(max_error_share) or not outcome.rows:
        raise typer.Exit(1)


def _true_labels(inputs: list[str]) -> dict[str, str]:
    from mesonet.datasets.class_folders import ClassFolders
    from mesonet.detector import DEEPFAKE, REAL
    from mesonet.errors import DataError

    if len(inputs) != 1 or not Path(inputs[0]).is_dir():
        raise DataError(
            " ".join(inputs), "a classification report needs one folder with two class folders"
        )
    data = ClassFolders.read(inputs[0])
    return {
        str(path): DEEPFAKE if fake else REAL
        for path, fake in zip(data.paths, data.is_fake, strict=True)
    }
