import os
from pathlib import Path
from typing import Any

import hypothesis
import pytest

BROWSER = "tests/browser/"

hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A process takes the tests of a file; those in Chromium together, as they share a server."""
    from xdist.scheduler import LoadFileScheduling

    class ByServer(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return BROWSER if nodeid.startswith(BROWSER) else super()._split_scope(nodeid)

    return ByServer(config, log)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The research data; tests that need it are skipped where it is absent."""
    default = Path(__file__).parents[2] / "shared"
    folder = Path(os.environ.get("MESONET_SHARED", default)).resolve()
    if not (folder / "data").is_dir():
        pytest.skip(f"no research data in {folder}; MESONET_SHARED names the folder")
    return folder


@pytest.fixture(scope="session")
def bad_media(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """See `tests.hostile_media.bad_media`."""
    from tests import hostile_media

    return hostile_media.bad_media(tmp_path_factory.mktemp("bad"))


@pytest.fixture(scope="session")
def flawed_media(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """See `tests.hostile_media.flawed_media`."""
    from tests import hostile_media

    return hostile_media.flawed_media(tmp_path_factory.mktemp("flawed"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved, untrained Meso-4 for images of 32 px."""
    from mesonet.architectures import create_model
    from mesonet.backend import keras
    from mesonet.model_file import save_model
    from mesonet.model_info import ModelInfo
    from mesonet.preprocessing import Preprocessing

    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    info = ModelInfo("meso4", Preprocessing(size=32), ("df", "real"), threshold=0.5)
    save_model(create_model("meso4", 32), path, info)
    return path
