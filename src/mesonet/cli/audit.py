"""``mesonet audit``: what in a data folder would make figures too good."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from mesonet.cli.options import Format, Groups, Output

if TYPE_CHECKING:
    from mesonet.audit import Audit

_EXAMPLES = 3
_TOGETHER = 4
_WIDTH = 100
_INDENT = 9
_LEAK = 3
_COLORS = {"leak": "red", "warning": "yellow", "note": "cyan"}


def run(
    folder: Annotated[
        Path, typer.Argument(help="Folder with two class folders, such as real and df.")
    ],
    against: Annotated[
        Path | None,
        typer.Option(help="Another such folder that is to share nothing with it, such as test."),
    ] = None,
    groups: Groups = None,
    against_groups: Annotated[
        str | None, typer.Option(help="Groups of the other folder; by default those of --groups.")
    ] = None,
    format: Annotated[Format, typer.Option(help="How the result is written.")] = Format.TABLE,  # noqa: A002
    output: Output = None,
) -> None:
    """Find leaks and shortcuts in a dataset before its figures are believed.

    Looks for equal and nearly equal pictures, groups on both sides, frames without a grouping,
    file properties that tell the classes apart, uneven classes and unreadable files, and says
    what each does to the figures. The exit code is 3 if there is a leak: a picture or group on
    both sides, a picture in both classes, or look-alikes in different groups. Warnings and notes
    leave it 0.
    """
    import json

    from mesonet.audit import audit
    from mesonet.cli.output import check_output, open_output
    from mesonet.cli.progress import progress_bar

    if output:
        check_output(output)
    with progress_bar() as bar:
        task = bar.add_task("reading", total=None)
        result = audit(
            folder,
            against,
            groups=groups,
            against_groups=against_groups,
            watch=lambda doing, done, total: bar.update(
                task, description=doing, completed=done, total=total
            ),
        )
    with open_output(output) as stream:
        if format is Format.JSON:
            stream.write(json.dumps(result.to_dict(), indent=1) + "\n")
        else:
            _write_table(result, stream)
    if result.has_leaks:
        raise typer.Exit(_LEAK)


def _write_table(result: "Audit", stream: TextIO) -> None:
    import textwrap

    from rich.console import Console
    from rich.text import Text

    from mesonet.cli.output import printable

    console = Console(file=stream, highlight=False, soft_wrap=True)
    width = min(console.width, _WIDTH) - _INDENT

    def write(text: str, style: str = "", first: str = "", first_style: str = "") -> None:
        lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
        for number, line in enumerate(lines):
            label = Text(f"{first if number == 0 else '':<{_INDENT}}", first_style)
            console.print(label.append(line, style))

    for sentence in result.summary:
        console.print(Text(sentence, "bold"))
    for finding in result.findings:
        console.print()
        write(finding.text, "bold", finding.severity, _COLORS[finding.severity])
        write(finding.effect)
        for together in finding.images[:_EXAMPLES]:
            for number, name in enumerate(together[:_TOGETHER]):
                bullet = "- " if number == 0 else "  "
                console.print(Text(f"{'':<{_INDENT}}{bullet}{printable(name)}", "dim"))
            if len(together) > _TOGETHER:
                write(f"  and {len(together) - _TOGETHER:,} more", "dim")
        if len(finding.images) > _EXAMPLES:
            rest = len(finding.images) - _EXAMPLES
            write(f"and {rest:,} more such; --format json names them all", "dim")
    console.print()
    console.print(Text(result.verdict, "bold"))
