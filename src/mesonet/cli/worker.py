"""``mesonet worker``: one more process for what the server does in the background."""

from pathlib import Path
from typing import Annotated

import typer

from mesonet.errors import MissingPackageError


def run(
    home: Annotated[
        Path, typer.Option(envvar="MESONET_HOME", help="Folder for all that the server keeps.")
    ] = Path("~/.mesonet"),
) -> None:
    """Work for a server that `mesonet serve` runs, here or on another machine; Ctrl-C stops it.

    Workers share a queue: they need the server's database and key, and its files.
    """
    try:
        from mesonet_site.serve import work
    except ImportError:
        raise MissingPackageError("the server", "server") from None
    work(home)
