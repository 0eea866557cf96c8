"""``mesonet export``: a model in another format."""

from pathlib import Path
from typing import Annotated

import typer

from mesonet.cli.options import Architecture


def run(
    model: Annotated[str, typer.Argument(help="A released model or a model file.")],
    out: Annotated[Path, typer.Argument(help="File that ends in .keras, .h5 or .onnx.")],
    architecture: Architecture = None,
    half: Annotated[
        bool, typer.Option("--half", help="Weights of 16 bits: half the size, nearly the scores.")
    ] = False,
) -> None:
    """Write a model as .keras, .h5 or .onnx."""
    from mesonet.cli.output import check_output
    from mesonet.export import export_model

    check_output(out)
    export_model(model, out, architecture, half=half)
    print(f"{out}: {out.stat().st_size:,} bytes")
