"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How the result is written."""

    TABLE = "table"
    JSON = "json"


Model = Annotated[
    str | None,
    typer.Option("--model", "-m", help="A released model (see 'mesonet models') or a model file."),
]
Architecture = Annotated[
    str | None,
    typer.Option(help="The network of a file that holds only weights; else it is recognised."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        "-t",
        min=0,
        max=1,
        help="Fake probability from which an image is called a deepfake; by default the model's.",
    ),
]
BatchSize = Annotated[int, typer.Option("--batch-size", "-bs", min=1, help="Images per step.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write to this file, which appears when it is complete."),
]
Groups = Annotated[
    str | None,
    typer.Option(
        help="Images that belong together: 'video' for <video>_<frame> names, 'pair' for "
        "FaceForensics++ names, or a CSV file with the columns file and group."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Another seed draws another split and order.")]
