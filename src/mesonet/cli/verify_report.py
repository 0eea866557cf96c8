"""``mesonet verify-report``: does a report say what is true of its media?"""

from typing import Annotated

import typer

from mesonet.cli.options import Model


def run(
    report: Annotated[str, typer.Argument(metavar="REPORT", help="Page of 'mesonet check'.")],
    media: Annotated[list[str], typer.Argument(metavar="MEDIA...", help="What it is about.")],
    model: Model = None,
) -> None:
    """Check the media of a report again, and say what is equal and what is not.

    Compared are the bytes of the media, the model and its description, the settings, the page's own
    hashes, and every number and word of the result. The exit code is 1 where something differs.
    """
    from mesonet.cli.output import printable
    from mesonet.report.verification import verify_report

    words = {True: "equal", False: "DIFFERS", None: "note"}
    differs = False
    for finding in verify_report(report, media, model):
        print(f"{words[finding.equal]:<8} {finding.what}: {printable(finding.text)}")
        differs |= finding.equal is False
    if differs:
        raise typer.Exit(1)
