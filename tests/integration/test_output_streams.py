"""Output that goes into a pipe, nowhere, or is broken off."""

import csv
import io
import os
import signal
import subprocess
import sys
import time

import pytest
from tests.command_line import mesonet, mesonet_process
from tests.images import write_picture

_MAIN = [sys.executable, "-c", "from mesonet.cli import main; main()"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    write_picture(folder / "größe.png")
    for number in range(5):
        write_picture(folder / f"{number}.png")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["table", "csv"])
def test_a_reader_that_goes_away_is_141_without_a_word(pictures, format_):
    arguments = ["predict", str(pictures), "--model", "standard", "--format", format_]
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [*_MAIN, *arguments], stdout=write, stderr=subprocess.PIPE, text=True, timeout=300
    )
    os.close(write)
    assert ended.returncode == 141, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "BrokenPipe" not in ended.stderr


@pytest.mark.slow
def test_a_closed_output_is_no_traceback(pictures):
    command = [*_MAIN, "predict", str(pictures), "--model", "standard", "--format", "csv"]
    ended = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command],
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_an_ascii_terminal_does_not_stop_a_csv(pictures):
    arguments = ["predict", pictures, "--model", "standard", "--format", "csv"]
    ended = mesonet_process(*arguments, PYTHONIOENCODING="ascii")
    assert ended.returncode == 0, ended.stderr
    paths = [row["path"] for row in csv.DictReader(io.StringIO(ended.stdout))]
    assert len(paths) == 6
    assert any(path.endswith("gr\\xf6\\xdfe.png") for path in paths)


@pytest.mark.slow
def test_a_terminated_run_leaves_no_file(pictures, tmp_path):
    images = [str(path) for path in sorted(pictures.iterdir())]
    verdicts = tmp_path / "verdicts.csv"
    code = (
        "import mesonet.cli.output as output, time\n"
        "def slow(results, stream, _):\n"
        "    stream.write('half'); stream.flush(); time.sleep(120)\n"
        "output.WRITERS['csv'] = slow\n"
        "from mesonet.cli import main; main()"
    )
    arguments = [
        "predict",
        *images,
        "--model",
        "standard",
        "--format",
        "csv",
        "-o",
        str(verdicts),
    ]
    with subprocess.Popen([sys.executable, "-c", code, *arguments]) as process:
        deadline = time.monotonic() + 200
        while not any(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert any(tmp_path.iterdir())
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 143
    assert not list(tmp_path.iterdir())


def test_a_decimal_comma_is_explained(tmp_path):
    ended = mesonet("predict", tmp_path, "--threshold", "0,5")
    assert ended.returncode == 2
    assert "Write 0.5, with a point" in ended.stderr
