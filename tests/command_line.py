"""The command line as its user meets it: what it writes, and its exit code."""

import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from unittest.mock import patch

from mesonet.cli import main


@dataclass
class Result:
    returncode: int
    stdout: str
    stderr: str


def mesonet(*arguments, cwd=".", **environment):
    """Run a command in this process, which spares it the start of one."""
    out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        patch.object(sys, "argv", ["mesonet", *map(str, arguments)]),
        patch.dict(os.environ, environment),
        chdir(cwd),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    texts = (s.buffer.getvalue().decode("utf-8", "surrogateescape") for s in (out, err))
    return Result(code, *texts)


def mesonet_process(*arguments, cwd=None, **environment):
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from mesonet.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        timeout=300,
    )


def only_line(text):
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    return lines[0]
