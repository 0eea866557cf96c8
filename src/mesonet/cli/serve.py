"""``mesonet serve``: the server with everything it needs."""

from pathlib import Path
from typing import Annotated

import typer

from mesonet.errors import MissingPackageError


def run(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    home: Annotated[
        Path, typer.Option(envvar="MESONET_HOME", help="Folder for all that the server keeps.")
    ] = Path("~/.mesonet"),
    data: Annotated[
        Path | None, typer.Option(help="Class folders to measure models on, such as real and df.")
    ] = None,
    worker: Annotated[
        bool, typer.Option(help="Run a worker too; without, `mesonet worker` has to run elsewhere.")
    ] = True,
) -> None:
    """Start the web server and its background worker; Ctrl-C stops both.

    The first start makes the home folder with a key, a database and an administrator, and
    registers the released models.
    """
    try:
        from mesonet_site.serve import serve
    except ImportError:
        raise MissingPackageError("the server", "server") from None
    serve(host, port, home, data, worker=worker)
