"""``mesonet predict``: verdicts on images."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesonet.cli.options import Architecture, BatchSize, Model, Output, Threshold

if TYPE_CHECKING:
    from mesonet.detector import Failure, Verdict


class Format(StrEnum):
    """How verdicts are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


def run(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Images, folders or glob patterns.")
    ],
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
) -> None:
    """Tell real from manipulated images with a trained detector.

    The fake probability is 0 for surely real and 1 for surely manipulated. A calibrated model
    calls an image uncertain where it would err too often, unless --threshold is given. Images
    that cannot be read are named; the others are scored, and the exit code is 1.
    """
    import sys
    from collections import Counter

    from mesonet.cli.output import WRITERS, is_terminal, open_output, print_left_out
    from mesonet.cli.progress import track
    from mesonet.detector import DEEPFAKE, REAL, Detector, Failure, Verdict
    from mesonet.images.finding import IMAGE_SUFFIXES, find_images
    from mesonet.images.left_out import describe_left_out

    truth = _true_labels(inputs) if classification_report else {}
    paths, problems = find_images(inputs)
    for left_out in describe_left_out(inputs, IMAGE_SUFFIXES):
        print_left_out(left_out)
    detector = Detector.load(model or Detector.default, architecture=architecture)
    counts: Counter[str] = Counter()
    pairs: list[tuple[str, str]] = []

    def results() -> Iterator["Verdict | Failure"]:
        for problem in problems:
            yield Failure(problem.path, problem.reason)
        verdicts = detector.predict(paths, threshold=threshold, batch_size=batch_size)
        yield from track(verdicts, len(paths), "scoring", quiet=is_terminal(output))

    def counted() -> Iterator["Verdict | Failure"]:
        for result in results():
            counts["unreadable" if isinstance(result, Failure) else result.label] += 1
            if isinstance(result, Verdict) and result.path in truth:
                pairs.append((truth[result.path], DEEPFAKE if result.called_fake else REAL))
            yield result

    with open_output(output) as stream:
        WRITERS[format](counted(), stream, include_probabilities)
    summary = ", ".join(f"{count} {label}" for label, count in sorted(counts.items()))
    limit = detector.info.threshold if threshold is None else threshold
    text = f"{summary or 'no images'} (model {detector.name}, threshold {limit:.3g}"
    if detector.info.band and threshold is None:
        text += ", uncertain from {:.3g} to {:.3g}".format(*detector.info.band)
    text += ")"
    if pairs:
        from mesonet.model import get_classification_report

        true, called = zip(*pairs, strict=True)
        text += "\n\n" + get_classification_report(true, called)
    print(text, file=sys.stdout if format is Format.TABLE and not output else sys.stderr)
    if counts["unreadable"] or not paths:
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
