"""Programs of ours that run for a limited time beside this process, and end with it."""

import os
import subprocess
import sys
import threading


def run(
    module: str, argument: str, seconds: float, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m module argument``, a program that calls `follow` first.

    Raises:
        TimeoutError: it takes longer than ``seconds``; it has been ended then.
    """
    pipe, ours = os.pipe()  # which the system closes when this process is killed
    try:
        return subprocess.run(  # noqa: S603 - a module of ours
            [sys.executable, "-m", module, argument],
            stdin=pipe,
            timeout=seconds,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | environment,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"takes longer than {seconds:g} seconds") from None
    finally:
        os.close(pipe)
        os.close(ours)


def follow() -> None:
    """End as soon as the process that called `run` has ended."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)
