import subprocess
import sys


def test_a_small_campaign_holds():
    command = [sys.executable, "-m", "tests.fire", "--count", "150", "--seconds", "20"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(" 0 failed") == 4
    assert done.stderr == ""
