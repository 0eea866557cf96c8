"""The command line ``mesonet``: one module per sub-command, imported when it runs.

Every command imports what it needs inside its function, so that help answers at once.
"""

import os
import sys
import warnings
from typing import Annotated, Any, TextIO

import typer
from typer.exceptions import TyperException

from mesonet import __version__
from mesonet.cli import (
    audit,
    benchmark,
    calibrate,
    crossval,
    demo,
    evaluate,
    export,
    features,
    layers,
    models,
    predict,
    serve,
    split,
    train,
)

_INTERRUPTED = 130

app = typer.Typer(
    name="mesonet",
    help="Tell real faces from manipulated ones.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (
    predict,
    evaluate,
    benchmark,
    audit,
    layers,
    train,
    features,
    crossval,
    calibrate,
    split,
    models,
    export,
    demo,
    serve,
):
    app.command(command.__name__.rpartition(".")[2])(command.run)


def _show_version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    pass


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _say(f"warning: {message}", sys.stderr)


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _say(text: str, stream: TextIO) -> None:
    print(f"mesonet: {' '.join(text.split())}", file=stream)


def main() -> None:
    """Run the command line; an error is one line on standard error and a non-zero exit."""
    warnings.showwarning = _show_warning
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
        if code == _INTERRUPTED:
            _say("interrupted", sys.stderr)
    except TyperException as error:
        _say(error.format_message(), sys.stderr)
        code = 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except (ValueError, OSError, ImportError) as error:
        _say(_describe(error), sys.stderr)
        code = 1
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted", sys.stderr)
        code = _INTERRUPTED
    sys.exit(code if isinstance(code, int) else 0)
