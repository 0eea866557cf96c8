"""Processes that end with the one that started them, however that one ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

SECONDS_TO_STOP = 15
"""How long a process may take to stop, which is longer than the web server lets requests run."""

_VARIABLE = "MESONET_ENDS_WITH_PARENT"


def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a Python program that calls `follow`; an interrupt from the keyboard passes it by."""
    return subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,  # which the system closes when this process is killed
        env=os.environ | {_VARIABLE: "1"},
        start_new_session=True,
    )


def follow() -> None:
    """Stop, and a little later end, when the process that called `start` has ended."""
    if os.environ.pop(_VARIABLE, ""):
        threading.Thread(target=_watch, args=(os.dup(sys.stdin.fileno()),), daemon=True).start()


def _watch(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_STOP)
    os._exit(1)
