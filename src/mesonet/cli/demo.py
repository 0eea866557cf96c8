"""``mesonet demo``: a check of a photograph and a clip in which it is known who is forged."""

from pathlib import Path
from typing import Annotated

import typer

from mesonet.cli.options import Model


def run(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")] = Path(
        "demo-report"
    ),
    model: Model = None,
) -> None:
    """Forge a public-domain portrait in several ways, and check the results.

    Writes a photograph and a clip, and a self-contained page, report.html, that says beside every
    person what is true. Mistakes are shown as mistakes.
    """
    from rich.console import Console
    from rich.table import Table

    from mesonet.checking import TEXTS, Checker
    from mesonet.demo.samples import make_samples
    from mesonet.report import Report

    console = Console(highlight=False, soft_wrap=True)
    table = Table("sample", "person", "truth", "verdict", "fake probability", box=None)
    with Console(stderr=True).status("forging, checking and drawing"):
        samples = make_samples(output / "media")
        checker = Checker(model)
        with Report(output / "report.html", "A portrait and forgeries of it") as report:
            for sample in samples:
                check = checker.check(sample.path, pictures=True)
                parts = sample.truths(check.people)
                truths = {number: part.truth for number, part in parts.items()}
                report.add(check, sample.title, truths)
                for person in check.people:
                    score = person.fake_probability
                    table.add_row(
                        sample.path.name,
                        str(person.id),
                        truths.get(person.id, ""),
                        TEXTS[person.verdict] if person.verdict else person.outcome,
                        "" if score is None else f"{score:.3f}",
                    )
    console.print(table)
    console.print(f"model {checker.detector.name}\nreport: {output / 'report.html'}")
