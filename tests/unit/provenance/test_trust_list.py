import hashlib
import re
from pathlib import Path

import pytest

from mesonet.errors import ProvenanceError
from mesonet.provenance import trust_list, update_trust_list
from mesonet.provenance.trust_list import SIGNERS, TIME_STAMPS


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESONET_CACHE", str(tmp_path / "cache"))


def test_packaged_lists_are_what_their_readme_says() -> None:
    lists = trust_list()
    assert lists.count == 30
    readme = (lists.folder / "README.md").read_text(encoding="utf-8")
    for name in (SIGNERS, TIME_STAMPS):
        digest = hashlib.sha256((lists.folder / name).read_bytes()).hexdigest()
        assert re.search(rf"`{name}`.*`{digest}`", readme)


def test_fetched_lists_win_once_they_are_whole(tmp_path: Path) -> None:
    packaged = trust_list()
    source = tmp_path / "source"
    source.mkdir()
    first = packaged.signers.partition("-----END CERTIFICATE-----")
    (source / SIGNERS).write_text(first[0] + first[1] + "\n")
    with pytest.raises(ProvenanceError, match=TIME_STAMPS):
        update_trust_list(str(source))
    assert trust_list() == packaged
    (source / TIME_STAMPS).write_text(packaged.time_stamps)
    updated = update_trust_list(str(source))
    assert updated.count == 1
    assert trust_list() == updated


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / SIGNERS).write_text("<html>not found</html>")
    with pytest.raises(ProvenanceError, match="no list of certificates"):
        update_trust_list(str(tmp_path))
