from pathlib import PurePath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesonet.datasets.groups import group_keys, look_like_frames, split_groups


def paths(*names):
    return [PurePath(name) for name in names]


def test_video_takes_all_but_the_frame():
    names = paths("real/12_034.jpg", "df/12_b_7.jpg", "df/alone.jpg")
    assert group_keys(names, "video") == ["12", "12_b", "alone"]


def test_pair_joins_everybody_connected_through_a_swap():
    names = paths("real/012_0.png", "real/026_3.png", "f2f/012_026_0.png", "real/500_1.png")
    first, second, swap, other = group_keys(names, "pair")
    assert first == second == swap != other


def test_csv_and_callable(tmp_path):
    table = tmp_path / "groups.csv"
    table.write_text("file,group\nreal/a.jpg,7\nfake/b.jpg,8\n")
    names = paths("real/a.jpg", "fake/b.jpg")
    assert group_keys(names, table) == ["7", "8"]
    assert group_keys(names, lambda path: path.parent.name) == ["real", "fake"]


def test_csv_that_misses_images_names_one(tmp_path):
    table = tmp_path / "groups.csv"
    table.write_text("file,group\nreal/a.jpg,7\n")
    with pytest.raises(ValueError, match=r"1 of 2 images are not listed, such as fake/b.jpg"):
        group_keys(paths("real/a.jpg", "fake/b.jpg"), table)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"file,group\nreal/a.jpg,7\nreal/a.jpg,8\n", "real/a.jpg is listed twice"),
        (b"file,group\nreal/a.jpg\n", "line 2 is too short"),
        (b"file,group\nreal/a.jpg,\n", "real/a.jpg has no group"),
        (b"group,file\n7\n", "line 2 is too short"),
        (b"file,group\nreal/a.jpg," + b"7" * 200_000, "field larger than field limit"),
        (b"\xff\xfe\x00", "not a CSV file in UTF-8"),
    ],
)
def test_csv_that_is_broken_is_named_with_the_reason(tmp_path, content, message):
    table = tmp_path / "groups.csv"
    table.write_bytes(content)
    with pytest.raises(ValueError, match=f"groups.csv: {message}"):
        group_keys(paths("real/a.jpg"), table)


def test_csv_without_the_columns(tmp_path):
    table = tmp_path / "groups.csv"
    table.write_text("name,id\nreal/a.jpg,7\n")
    with pytest.raises(ValueError, match="needs the columns"):
        group_keys(paths("real/a.jpg"), table)


def test_unknown_preset():
    with pytest.raises(ValueError, match="'video', 'pair' or a CSV file; nonsense is neither"):
        group_keys(paths("real/a.jpg"), "nonsense")


def test_frames_are_recognised():
    assert look_like_frames(paths(*[f"real/{v}_{f}.jpg" for v in range(3) for f in range(5)]))
    assert not look_like_frames(paths(*[f"real/real_{n:05}.jpg" for n in [1]], "a.jpg", "b.jpg"))
    assert not look_like_frames(paths("a.jpg", "b.jpg", "c.jpg"))


@given(
    sizes=st.lists(st.integers(1, 30), min_size=8, max_size=30),
    fraction=st.floats(0.1, 0.5),
    seed=st.integers(0, 5),
)
def test_no_group_lies_on_both_sides_and_both_sides_hold_both_classes(sizes, fraction, seed):
    groups = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    labels = np.repeat(np.arange(len(sizes)) % 2, sizes)
    try:
        held_out = split_groups(labels, groups, fraction, seed)
    except ValueError as error:
        assert "uneven" in str(error)
        return
    assert not set(groups[held_out]) & set(groups[~held_out])
    assert set(labels[held_out]) == set(labels[~held_out]) == {0, 1}


def test_split_comes_close_to_the_fraction_and_depends_on_the_seed():
    groups = np.repeat(np.arange(100).astype(str), 10)
    labels = np.repeat(np.arange(100) % 2, 10)
    for fraction in (0.1, 0.2, 0.35):
        held_out = split_groups(labels, groups, fraction)
        assert abs(held_out.mean() - fraction) < 0.03
        assert abs(labels[held_out].mean() - 0.5) < 0.1
    assert (split_groups(labels, groups, 0.2, 1) != split_groups(labels, groups, 0.2, 2)).any()


def test_too_few_groups():
    with pytest.raises(ValueError, match="at least two groups of each class"):
        split_groups([0, 0, 1, 1], ["a", "a", "b", "c"], 0.5)
