import subprocess
import sys

import pytest

pytest.importorskip("django", reason="the server's packages are not installed")


@pytest.mark.slow
def test_a_small_campaign_holds():
    command = [sys.executable, "-m", "tests.fire", "--count", "50", "--kills", "0"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(" 0 failed") == 10
    assert done.stderr == ""
