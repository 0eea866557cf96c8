import pytest

from mesonet.files import write_text, writing


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    with writing(path) as partial:
        assert partial.name == "a.txt"
        partial.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_there_stays_when_writing_fails(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(KeyboardInterrupt), writing(path) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_when_it_is_complete(tmp_path):
    with writing(tmp_path / "new") as partial:
        partial.mkdir()
        (partial / "a").touch()
    assert (tmp_path / "new" / "a").exists()
