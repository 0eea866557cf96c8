"""The command line ``mesonet``: one module per sub-command, imported when it runs.

Every command imports what it needs inside its function, so that help answers at once.
"""

import os
import re
import signal
import sys
import traceback
import warnings
from contextvars import ContextVar
from typing import Annotated, Any, TextIO

import typer
from typer.exceptions import TyperException

from mesonet import __version__
from mesonet.cli import (
    audit,
    benchmark,
    calibrate,
    check,
    crop,
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
    trust_list,
    verify_report,
    weights,
    worker,
)
from mesonet.errors import MesonetError

_SYSTEM = 4
_FAULT = 70
_INTERRUPTED = 130
_OUTPUT_CLOSED = 141
_TERMINATED = 143
_verbose = ContextVar("verbose", default=False)

app = typer.Typer(
    name="mesonet",
    help="Tell real faces from manipulated ones.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (
    check,
    predict,
    evaluate,
    benchmark,
    audit,
    layers,
    train,
    features,
    crossval,
    calibrate,
    crop,
    split,
    models,
    export,
    demo,
    verify_report,
    trust_list,
    serve,
    worker,
):
    app.command(command.__name__.rpartition(".")[2].replace("_", "-"))(command.run)
app.add_typer(weights.app, name="weights")


def _show_version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show where in the program an error came from.")
    ] = False,
) -> None:
    _verbose.set(verbose)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _say(f"warning: {message}", sys.stderr)


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _say(text: str, stream: TextIO) -> None:
    print(f"mesonet: {' '.join(text.split())}", file=stream)


def main() -> None:
    """Run the command line; `mesonet.errors` tells what the exit codes mean."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            sys.exit(_run())
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(*_: object) -> None:
    """Unwind, so that no half-written file is left."""
    sys.exit(_TERMINATED)


def _misunderstood(message: str) -> str:
    """Explain a decimal comma, which the message itself may not repeat."""
    given = (re.search(r"(?:^|=)(\d*),(\d+)$", argument) for argument in sys.argv[1:])
    comma = next(filter(None, given), None)
    if comma and re.search("valid (number|float)", message):
        message += f". Write {comma[1] or 0}.{comma[2]}, with a point"
    return message


def _run() -> int:
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except TyperException as error:
        _say(_misunderstood(error.format_message()), sys.stderr)
        return 2
    except BrokenPipeError:
        return _output_closed()
    except SystemExit as end:  # Typer and Rich end the program so when they meet a broken pipe
        if isinstance(end.__context__, BrokenPipeError):
            return _output_closed()
        raise
    except (MesonetError, OSError) as error:
        if _verbose.get():
            traceback.print_exc()
        _say(_describe(error), sys.stderr)
        return getattr(error, "exit_code", _SYSTEM)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except Exception:  # noqa: BLE001 - a fault of the program
        traceback.print_exc()
        return _FAULT
    if code == _INTERRUPTED:
        _say("interrupted", sys.stderr)
    return code if isinstance(code, int) else 0


def _output_closed() -> int:
    """Let what is still buffered go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _OUTPUT_CLOSED
