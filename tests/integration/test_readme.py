"""The README's Python examples run as written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.images import write_class_folders, write_picture

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.slow
def test_python_examples(tmp_path):
    from mesonet.architectures import create_model
    from mesonet.model_file import save_model
    from mesonet.model_info import ModelInfo

    examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 3
    write_picture(tmp_path / "portrait.jpg")
    write_class_folders(tmp_path / "data", videos=4, frames=2)
    save_model(create_model("meso4"), tmp_path / "model.keras", ModelInfo("meso4"))
    code = "\n".join(examples)
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("portrait.jpg ")


def test_commands_exist():
    from mesonet.cli import app

    known = {command.name for command in app.registered_commands}
    known |= {group.name for group in app.registered_groups}
    used = set(re.findall(r"\$ mesonet (\w+)", README.read_text(encoding="utf-8")))
    assert used <= known
    assert len(used) >= 6
