import numpy as np
import pytest
from tests.images import write_class_folders, write_picture

from mesonet.data import (
    ClassFolders,
    ImageBatches,
    get_test_data_generator,
    get_train_data_generator,
    split_dataset,
)
from mesonet.errors import DataError
from mesonet.preprocessing import Preprocessing


@pytest.fixture
def folder(tmp_path):
    return write_class_folders(tmp_path / "data", videos=4, frames=3)


def test_documented_attributes_and_shapes(folder):
    batches = get_test_data_generator(folder, 10)
    assert batches.samples == 24
    assert batches.class_indices == {"df": 0, "real": 1}
    assert batches.classes.tolist() == [0] * 12 + [1] * 12
    assert batches.filenames[0] == "df/0_0.png"
    assert len(batches) == 3
    x, y = batches[2]
    assert x.shape == (4, 256, 256, 3)
    assert x.dtype == y.dtype == np.float32
    assert y.tolist() == [1] * 4
    assert 0 <= x.min() < x.max() <= 1


def test_pixels_are_pillows_nearest_by_255(folder):
    from PIL import Image

    batches = get_test_data_generator(folder, 1)
    expected = np.asarray(Image.open(folder / "df/0_0.png").resize((256, 256), 0)) / 255
    assert np.allclose(batches[0][0][0], expected, atol=1e-7)


def test_no_validation_unless_asked_for(folder):
    for fraction in (None, 0, 1, 0.0, 1.5):
        assert get_train_data_generator(folder, 4, fraction)[1] is None


def test_validation_is_neither_augmented_nor_shuffled(folder):
    train, validation = get_train_data_generator(folder, 4, 0.34, groups="video")
    assert train.augmentation is not None
    assert train.shuffle
    assert validation.augmentation is None
    assert not validation.shuffle
    assert train.samples + validation.samples == 24


def test_every_image_once_an_epoch_in_another_order_each(folder):
    data = ClassFolders.read(folder)
    batches = ImageBatches(data, 5, shuffle=True, preprocessing=Preprocessing(size=8))

    def epoch():
        return np.concatenate([x for x, _ in batches]).reshape(24, -1)

    first, second = epoch(), epoch()
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first, axis=0), np.sort(second, axis=0))


def test_next_goes_on_over_epochs_like_the_epochs_themselves(folder):
    def batches():
        data = ClassFolders.read(folder)
        return ImageBatches(data, 16, shuffle=True, preprocessing=Preprocessing(size=8))

    endless, finite = batches(), batches()
    expected = [y for _ in range(2) for _, y in finite]
    assert all(np.array_equal(next(endless)[1], y) for y in expected)


def test_augmented_epochs_can_be_repeated_exactly(folder):
    first, _ = get_train_data_generator(folder, 8, seed=5)
    again, _ = get_train_data_generator(folder, 8, seed=5)
    other, _ = get_train_data_generator(folder, 8, seed=6)
    again.epoch = first.epoch = 3
    assert np.array_equal(first[1][0], again[1][0])
    assert not np.array_equal(first[1][0], other[1][0])


def _sorted(images):
    return np.sort(images.reshape(len(images), -1).mean(axis=1))


def test_augmentations_reach_the_images(folder):
    plain, changed, default = (
        get_train_data_generator(folder, 24, use_default_augmentation=used, augmentations=further)[
            0
        ]
        for used, further in ((False, None), (False, {"channel_shift_range": 90}), (True, None))
    )
    untouched = get_test_data_generator(folder, 24)[0][0]
    assert np.array_equal(_sorted(plain[0][0]), _sorted(untouched))
    for augmented in (changed, default):
        images = augmented[0][0]
        assert images.shape == untouched.shape
        assert len(np.unique(np.concatenate([images, untouched]), axis=0)) == 48
    with pytest.raises(ValueError, match="unknown augmentation"):
        get_train_data_generator(folder, 24, augmentations={"blur": 3})


def test_bad_batch_size(folder):
    with pytest.raises(ValueError, match="batch size"):
        get_test_data_generator(folder, 0)


def test_split_dataset_pools_parts_and_keeps_videos_whole(tmp_path):
    write_class_folders(tmp_path / "in/train", videos=5, frames=4)
    for video in (50, 51):
        for frame in range(4):
            write_picture(tmp_path / f"in/validation/df/{video}_{frame}.png", 900 + video + frame)
            write_picture(tmp_path / f"in/validation/real/9{video}_{frame}.png", video + frame)
    counts = split_dataset(tmp_path / "in", tmp_path / "out", 0.3, groups="video")
    assert sum(n for part in counts.values() for n in part.values()) == 56
    parts = [ClassFolders.read(tmp_path / "out" / part) for part in ("train", "test")]
    assert len(parts[0]) == sum(counts["train"].values())
    videos = [{name.stem.split("_")[0] for name in part.names} for part in parts]
    assert not videos[0] & videos[1]
    assert len(videos[0] | videos[1]) == 14


def test_split_dataset_without_groups_keeps_the_share_of_each_class_and_warns(tmp_path):
    write_class_folders(tmp_path / "in", videos=5, frames=4)
    with pytest.warns(UserWarning, match="look like frames.*--groups video, or --groups pair"):
        counts = split_dataset(tmp_path / "in", tmp_path / "out", 0.1)
    assert counts["test"] == {"df": 2, "real": 2}


def test_split_dataset_never_overwrites_or_leaves_half(tmp_path):
    write_class_folders(tmp_path / "in/a", videos=2)
    write_class_folders(tmp_path / "in/b", videos=2)
    with pytest.raises(DataError, match="the same name"):
        split_dataset(tmp_path / "in", tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    with pytest.raises(DataError, match="exists already"):
        split_dataset(tmp_path / "in/a", tmp_path / "in")
