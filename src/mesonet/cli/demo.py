"""``mesonet demo``: a real face, forgeries of it, and what the detector says of them."""

from pathlib import Path
from typing import Annotated

import typer

from mesonet.cli.options import Model

LAYERS = (0, 3)


def run(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")] = Path(
        "demo-report"
    ),
    model: Model = None,
) -> None:
    """Forge a public-domain portrait in several ways and score the results.

    Writes the images and a self-contained page, report.html. Mistakes are shown as mistakes.
    """
    from rich.console import Console
    from rich.table import Table

    from mesonet.demo.report import write_report
    from mesonet.demo.samples import make_samples
    from mesonet.detector import DEEPFAKE, UNCERTAIN, Detector, Verdict
    from mesonet.errors import ImageError

    console = Console(highlight=False, soft_wrap=True)
    with Console(stderr=True).status("forging, scoring and drawing"):
        items = make_samples(output / "images")
        detector = Detector.load(model or Detector.default)
        results = write_report(
            output / "report.html",
            detector,
            items,
            layers=LAYERS,
            heading="A portrait and forgeries of it",
        )
    table = Table("image", "truth", "verdict", "fake probability", "", box=None, pad_edge=False)
    for item, result in zip(items, results, strict=True):
        if not isinstance(result, Verdict):
            raise ImageError(result.path, result.error)
        truth = DEEPFAKE if item.is_fake else "real"
        right = "" if result.label in (truth, UNCERTAIN) else "[yellow]wrong"
        table.add_row(item.title, truth, result.label, f"{result.fake_probability:.3f}", right)
    console.print(table)
    console.print(
        f"model {detector.name}, threshold {detector.info.threshold:.3f}\n"
        f"report: {output / 'report.html'}"
    )
