"""The examples of the documentation."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from tests.clips import portrait, write_clip
from tests.integration.server.helpers import picture
from tests.integration.server.live import Server

from mesonet_site import settings as settings_module
from mesonet_site.api.conf import DEFAULTS

pytestmark = [pytest.mark.sqlite_is_enough, pytest.mark.django_db(transaction=True)]

DOCS = Path(__file__).parents[3] / "docs"
HEAD = 'set -eu\ncurl() { command curl -sS --fail-with-body "$@"; }\n'


@pytest.mark.slow
def test_the_examples_of_the_api(server: Server, tmp_path: Path, model_file: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("face", *(f"folder/{index}" for index in range(9))):
        (tmp_path / f"{name}.jpg").write_bytes(picture(0, kind="JPEG"))
    Image.fromarray(portrait(256)).save(tmp_path / "photo.jpg")
    write_clip(tmp_path / "clip.mp4", [portrait(128)] * 3)
    (tmp_path / "model.h5").write_bytes(model_file.read_bytes())
    blocks = re.findall(r"```bash\n(.*?)```", (DOCS / "api.md").read_text(), re.DOTALL)
    assert len(blocks) >= 7

    result = subprocess.run(
        ["bash", "-c", HEAD + "\n".join(blocks)],
        cwd=tmp_path,
        env=os.environ | {"SERVER": f"http://127.0.0.1:{server.port}", "TOKEN": server.token},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout[-2000:] + result.stderr
    assert result.stdout.count('"state":"done"') >= 2
    assert '"state":"waiting"' in result.stdout
    assert '"state":"cancelled"' in result.stdout


def test_every_setting_is_documented() -> None:
    source = Path(settings_module.__file__).read_text()
    names = {*re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source), *DEFAULTS}
    assert len(names) > 30
    documented = set(re.findall(r"`([A-Z_]+)`", (DOCS / "server.md").read_text()))
    assert names <= documented, names - documented
