import os
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The research data; tests that need it are skipped where it is absent."""
    default = Path(__file__).parents[2] / "shared"
    folder = Path(os.environ.get("MESONET_SHARED", default)).resolve()
    if not (folder / "data").is_dir():
        pytest.skip(f"no research data in {folder}; MESONET_SHARED names the folder")
    return folder
