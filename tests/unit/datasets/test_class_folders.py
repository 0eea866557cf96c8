import errno
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from tests.images import write_class_folders, write_picture

from mesonet.datasets.class_folders import ClassFolders
from mesonet.errors import DataError


def test_classes_are_alphabetical_and_images_sorted(tmp_path):
    data = ClassFolders.read(write_class_folders(tmp_path, videos=2, frames=2))
    assert data.class_names == ("df", "real")
    assert [str(name) for name in data.names][:3] == ["df/0_0.png", "df/0_1.png", "df/1_0.png"]
    assert data.labels.tolist() == [0] * 4 + [1] * 4
    assert data.is_fake.tolist() == [True] * 4 + [False] * 4


def test_the_class_named_real_is_real_wherever_it_sorts(tmp_path):
    data = ClassFolders.read(write_class_folders(tmp_path, classes=("authentic", "forged")))
    assert not data.is_fake[0]
    assert data.is_fake[-1]


def test_wrong_folders_are_named(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        ClassFolders.read(tmp_path / "missing")
    write_picture(tmp_path / "real" / "a.png")
    with pytest.raises(DataError, match="expected two class folders.*found: real"):
        ClassFolders.read(tmp_path)
    (tmp_path / "fake").mkdir()
    with pytest.raises(DataError, match=r"fake: the class folder holds no images"):
        ClassFolders.read(tmp_path)


def test_unreadable_images_are_named_and_left_out(tmp_path):
    write_class_folders(tmp_path, videos=1)
    (tmp_path / "real" / "broken.jpg").write_bytes(b"no picture")
    data = ClassFolders.read(tmp_path)
    with pytest.warns(UserWarning, match=r"left out: .*broken\.jpg: not an image"):
        rest = data.readable()
    assert len(rest) == len(data) - 1


def test_a_folder_that_cannot_be_searched_is_kept_in_mind(tmp_path, monkeypatch):
    write_class_folders(tmp_path, videos=1)
    (tmp_path / "real" / "locked").mkdir()
    scandir = os.scandir

    def denied(path):
        if Path(path).name == "locked":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.warns(UserWarning, match="locked: permission denied"):
        data = ClassFolders.read(tmp_path)
    (problem,) = data.subset(data.is_fake).unlisted
    assert problem.path == str(tmp_path / "real" / "locked")


def test_a_class_without_readable_images_is_an_error(tmp_path):
    write_class_folders(tmp_path, videos=1, frames=1)
    (tmp_path / "real" / "100_0.png").write_bytes(b"")
    with pytest.warns(UserWarning), pytest.raises(DataError, match="no image of this class"):
        ClassFolders.read(tmp_path).readable()


def test_split_without_grouping_takes_the_first_of_each_class_and_warns(tmp_path):
    data = ClassFolders.read(write_class_folders(tmp_path, videos=4, frames=5))
    with pytest.warns(UserWarning, match="look like frames of videos"):
        rest, held_out = data.split(0.3)
    assert [str(name) for name in held_out.names] == [
        *(f"df/{n}_{f}.png" for n, f in [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0)]),
        *(f"real/{n}_{f}.png" for n, f in [(100, f) for f in range(5)] + [(101, 0)]),
    ]
    assert len(rest) + len(held_out) == len(data)


def test_split_by_group_keeps_videos_whole_and_does_not_warn(tmp_path):
    data = ClassFolders.read(write_class_folders(tmp_path, videos=6, frames=4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rest, held_out = data.split(0.3, "video")
    videos = [{name.stem.split("_")[0] for name in part.names} for part in (rest, held_out)]
    assert not videos[0] & videos[1]
    assert 0.15 < len(held_out) / len(data) < 0.45
    assert set(np.unique(held_out.labels)) == {0, 1}


@pytest.mark.parametrize(
    ("names", "real"),
    [
        (("df", "real"), 1),
        (("0_real", "1_fake"), 0),
        (("Celeb-real", "Celeb-synthesis"), 0),
        (("manipulated", "original_sequences"), 1),
        (("real", "real_swapped"), 0),
    ],
)
def test_a_word_of_the_name_tells_which_folder_is_real(tmp_path, names, real):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = ClassFolders.read(write_class_folders(tmp_path, videos=1, frames=1, classes=names))
    assert [bool(fake) for fake in data.is_fake] == [index != real for index in (0, 1)]


@pytest.mark.parametrize("names", [("one", "two"), ("real_a", "real_b"), ("fake", "unreal")])
def test_names_that_do_not_tell_are_spoken_of(tmp_path, names):
    with pytest.warns(UserWarning, match=f"those in {names[1]} are taken for it"):
        data = ClassFolders.read(write_class_folders(tmp_path, videos=1, frames=1, classes=names))
    assert data.is_fake.tolist() == [True, False]
