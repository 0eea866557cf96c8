"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

IMAGES = "JPEG, PNG, GIF, BMP, PPM, WebP, TIFF, AVIF; HEIC with the extra heic"
CLIPS = "MP4, MOV, WebM, MKV, AVI, GIF and others"


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
    typer.Option(
        "--output",
        "-o",
        help="Write to this file, which appears when it is complete; of Parquet to this folder.",
    ),
]
Groups = Annotated[
    str | None,
    typer.Option(
        help="Images that belong together: 'video' for <video>_<frame> names, 'pair' for "
        "FaceForensics++ names, or a CSV file with the columns file and group."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Another seed draws another split and order.")]


class Engine(StrEnum):
    """Who scores the shards of a run."""

    LOCAL = "local"
    RAY = "ray"


Listed = Annotated[
    str | None,
    typer.Option(
        "--list", help="Read what this text, CSV or Parquet file names, a path in each line or row."
    ),
]
Column = Annotated[str, typer.Option(help="Column of paths in a CSV or Parquet --list.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Read this many at most.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be read, how many and how large.")
]
MaxErrorShare = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="Stop when more than this share of 100 or more cannot be read; "
        "below it the exit code is 0.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="With --format parquet: pass over what the parts hold already."),
]
ShardSize = Annotated[
    int,
    typer.Option(
        min=1, help="With --format parquet: rows of a part, which is lost if the run is killed."
    ),
]
EngineOption = Annotated[
    Engine, typer.Option(help="With --format parquet: this process, or a Ray cluster.")
]
Address = Annotated[
    str | None, typer.Option(help="Of the Ray cluster; by default one is started on this machine.")
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes on the Ray cluster; by default one a core.")
]
