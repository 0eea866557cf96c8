import json

import numpy as np
import pytest
from tests.images import write_class_folders, write_picture

from mesonet.backend import keras
from mesonet.datasets.class_folders import ClassFolders
from mesonet.errors import StoreError
from mesonet.images.augmentation import Augmentation
from mesonet.images.reading import load_image
from mesonet.preprocessing import Preprocessing
from mesonet.transfer import extraction
from mesonet.transfer.extraction import extract_features
from mesonet.transfer.store import FeatureDataset, FeatureRecipe

PREPROCESSING = Preprocessing(16, "bilinear", "symmetric")
RECIPE = FeatureRecipe("small", None, PREPROCESSING)


@pytest.fixture(scope="module")
def backbone():
    """Two resolutions, with padding and without, for images of 16 px."""
    keras.utils.set_random_seed(0)
    ip = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="fine")(ip)
    x = keras.layers.ZeroPadding2D()(x)
    x = keras.layers.Conv2D(6, 3, strides=2, name="coarse")(x)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(ip, keras.layers.ReLU(6.0)(x), name="small")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return ClassFolders.read(write_class_folders(tmp_path_factory.mktemp("data"), 4, 3))


def prepared(data):
    pixels = np.stack([load_image(path, PREPROCESSING) for path in data.paths])
    return PREPROCESSING.scale(pixels)


def test_features_are_the_backbones_averages(tmp_path, data, backbone):
    dataset = extract_features(tmp_path / "s", data, backbone, RECIPE, groups="video")
    expected = backbone.predict(prepared(data), verbose=0).mean(axis=(1, 2))
    assert dataset.features.shape == (24, 1, 6)
    assert np.allclose(dataset.features[:, 0], expected, atol=1e-5)
    assert dataset.names[0] == "df/0_0.png"
    assert dataset.names == [name.as_posix() for name in data.names]
    assert dataset.labels.tolist() == data.labels.tolist()
    assert dataset.is_fake.tolist() == data.is_fake.tolist()
    assert dataset.class_names == ("df", "real")
    assert dataset.groups[:4] == ["0", "0", "0", "1"]
    features, label = dataset[23]
    assert np.allclose(features[0], expected[23], atol=1e-5)
    assert label == 1


def test_whole_feature_maps_in_half_precision(tmp_path, data, backbone):
    recipe = FeatureRecipe("small", None, PREPROCESSING, pooling="none")
    dataset = extract_features(tmp_path / "s", data, backbone, recipe)
    expected = backbone.predict(prepared(data), verbose=0)
    assert dataset.features.shape == (24, 1, 8, 8, 6)
    assert dataset.features.dtype == np.float16
    assert isinstance(dataset.features, np.memmap)
    assert np.allclose(dataset.features[:, 0], expected, atol=1e-2)
    assert dataset.groups is None


def test_layers_are_mean_and_deviation_of_every_resolution(tmp_path, data, backbone):
    recipe = FeatureRecipe("small", None, PREPROCESSING, pooling="layers")
    dataset = extract_features(tmp_path / "s", data, backbone, recipe)
    both = keras.Model(backbone.input, [backbone.get_layer("fine").output, backbone.output])
    fine, last = both.predict(prepared(data), verbose=0)
    expected = [
        statistic(maps, axis=(1, 2)) for maps in (fine, last) for statistic in (np.mean, np.std)
    ]
    assert np.allclose(dataset.features[:, 0], np.concatenate(expected, axis=1), atol=1e-3)


def test_an_unknown_pooling(tmp_path, data, backbone):
    recipe = FeatureRecipe("small", None, PREPROCESSING, pooling="max")
    with pytest.raises(ValueError, match="pooling must be one of none, mean, layers, not 'max'"):
        extract_features(tmp_path / "s", data, backbone, recipe)


def test_a_size_that_is_not_the_networks(tmp_path, data, backbone):
    recipe = FeatureRecipe("small", None, Preprocessing(32))
    with pytest.raises(ValueError, match="takes images of 16 px, not of 32 px"):
        extract_features(tmp_path / "s", data, backbone, recipe)


def test_views(tmp_path, data, backbone):
    """The first is the image as it is; the others depend on seed, image and view alone."""
    augmentation = Augmentation(horizontal_flip=True, brightness_range=(0.5, 1.0))

    def views(name, augmented, seed):
        recipe = FeatureRecipe(
            "small", None, PREPROCESSING, augmented=augmented, augmentation=augmentation, seed=seed
        )
        return extract_features(tmp_path / name, data, backbone, recipe).features

    plain, one, three, other = (
        views("plain", 0, 0),
        views("one", 1, 5),
        views("three", 3, 5),
        views("other", 1, 6),
    )
    assert three.shape == (24, 4, 6)
    assert np.allclose(plain[:, 0], three[:, 0], atol=1e-6)
    assert np.allclose(one, three[:, :2], atol=1e-6)
    assert not np.allclose(three[:, 1], three[:, 2], atol=1e-3)
    assert not np.allclose(one[:, 1], other[:, 1], atol=1e-3)
    image = load_image(data.paths[7], PREPROCESSING)
    changed = augmentation(image, np.random.default_rng([5, 7, 2]))
    expected = backbone.predict(PREPROCESSING.scale(changed[None]), verbose=0).mean(axis=(1, 2))
    assert np.allclose(three[7, 2], expected, atol=1e-5)


def test_an_interruption_resumes(tmp_path, data, backbone, monkeypatch):
    monkeypatch.setattr(extraction, "_BATCH", 4)
    monkeypatch.setattr(extraction, "_FLUSH_EVERY", 2)
    whole = extract_features(tmp_path / "whole", data, backbone, RECIPE)

    def stop(done, total):
        if done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_features(tmp_path / "s", data, backbone, RECIPE, progress=stop)
    with pytest.raises(StoreError, match="only 8 of 24 images are done"):
        FeatureDataset(tmp_path / "s")
    seen = []
    resumed = extract_features(
        tmp_path / "s", data, backbone, RECIPE, progress=lambda done, _: seen.append(done)
    )
    assert seen == [12, 16, 20, 24]
    assert np.array_equal(resumed.features, whole.features)
    seen.clear()
    extract_features(
        tmp_path / "s", data, backbone, RECIPE, progress=lambda done, _: seen.append(done)
    )
    assert seen == []


def test_unreadable_images_are_left_out(tmp_path, backbone, monkeypatch):
    monkeypatch.setattr(extraction, "_BATCH", 4)
    root = write_class_folders(tmp_path / "data", 4, 3)
    whole = extract_features(tmp_path / "whole", ClassFolders.read(root), backbone, RECIPE)
    (root / "df" / "1_2.png").write_text("no image")
    data = ClassFolders.read(root)
    with pytest.warns(UserWarning, match=r"left out: .*1_2\.png: not an image"):
        dataset = extract_features(tmp_path / "s", data, backbone, RECIPE, groups="video")
    assert len(dataset) == len(dataset.features) == len(dataset.groups) == 23
    assert "df/1_2.png" not in dataset.names
    assert np.array_equal(dataset.features, np.delete(whole.features, 5, axis=0))
    assert np.array_equal(dataset.rows(), dataset.features[:, 0])
    assert dataset.labels.tolist() == [0] * 11 + [1] * 12
    assert dataset.groups[5] == "2"
    assert FeatureDataset(tmp_path / "s").names == dataset.names


def test_few_batches_wait_at_a_time(tmp_path, data, backbone, monkeypatch):
    """A consumer that has taken one batch finds no more than a few others computed ahead."""
    started = []
    compute = extraction._compute

    def counting(*arguments):
        started.append(1)
        return compute(*arguments)

    monkeypatch.setattr(extraction, "_BATCH", 1)
    monkeypatch.setattr(extraction, "_compute", counting)
    monkeypatch.setattr(extraction, "cores", lambda: 2)
    batches = extraction._batches(data, lambda x: x.mean(axis=(1, 2)), RECIPE, (3,), 0)
    assert next(batches)[0].shape == (1, 1, 3)
    batches.close()
    assert len(started) <= 5


def test_a_store_of_other_features_is_refused(tmp_path, backbone):
    root = write_class_folders(tmp_path / "data", 2, 2)
    data = ClassFolders.read(root)
    extract_features(tmp_path / "s", data, backbone, RECIPE)
    before = (tmp_path / "s" / "features.npy").read_bytes()
    other_seed = FeatureRecipe("small", None, PREPROCESSING, augmented=1, seed=1)
    other_weights = keras.models.clone_model(backbone)
    changed = write_class_folders(tmp_path / "changed", 2, 2)
    write_picture(changed / "df" / "0_0.png", 77)
    more = write_class_folders(tmp_path / "more", 2, 3)
    for features_of, network, recipe in (
        (data, backbone, other_seed),
        (data, other_weights, RECIPE),
        (ClassFolders.read(changed), backbone, RECIPE),
        (ClassFolders.read(more), backbone, RECIPE),
    ):
        with pytest.raises(StoreError, match="holds features of other images, or made in another"):
            extract_features(tmp_path / "s", features_of, network, recipe)
    assert (tmp_path / "s" / "features.npy").read_bytes() == before


def test_groups_can_be_given_later(tmp_path, data, backbone):
    assert extract_features(tmp_path / "s", data, backbone, RECIPE).groups is None
    extract_features(tmp_path / "s", data, backbone, RECIPE, groups="video")
    assert FeatureDataset(tmp_path / "s").groups[3] == "1"
    assert extract_features(tmp_path / "s", data, backbone, RECIPE).groups[3] == "1"


def test_a_folder_of_something_else_is_left_alone(tmp_path, data, backbone):
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(StoreError, match="this folder holds something else; name a new one"):
        extract_features(tmp_path, data, backbone, RECIPE)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "this is no feature store"),
        ("{", "this is not the index of a feature store"),
        ("[1]", "this is not the index of a feature store"),
        (json.dumps({"schema": 99}), "written by another version"),
    ],
)
def test_what_is_no_store(tmp_path, content, reason):
    if content:
        (tmp_path / "index.json").write_text(content)
    with pytest.raises(StoreError, match=reason):
        FeatureDataset(tmp_path)


def test_subsets_and_rows(tmp_path, data, backbone):
    recipe = FeatureRecipe("small", None, PREPROCESSING, augmented=2)
    dataset = extract_features(tmp_path / "s", data, backbone, recipe, groups="video")
    mask = np.zeros(24, bool)
    mask[[3, 20]] = True
    part = dataset.subset(mask)
    assert len(part) == 2
    assert part.names == [dataset.names[3], dataset.names[20]]
    assert part.labels.tolist() == [0, 1]
    assert part.groups == ["1", "102"]
    assert np.array_equal(part.features, dataset.features[[3, 20]])
    assert np.array_equal(part.rows(), dataset.features[[3, 20], 0])
    rows = part.rows(augmented=True)
    assert rows.shape == (6, 6)
    assert np.array_equal(rows, dataset.features[[3, 20]].reshape(6, 6))
    assert np.array_equal(rows[np.array([5, 0])], np.asarray(rows)[[5, 0]])
    assert np.array_equal(part.subset(np.array([False, True])).features, dataset.features[[20]])


def test_the_network_comes_with_the_features(tmp_path, data, backbone):
    recipe = FeatureRecipe("small", None, PREPROCESSING, pooling="layers")
    dataset = extract_features(tmp_path / "s", data, backbone, recipe)
    again = dataset.load_extractor().predict(prepared(data), verbose=0)
    assert np.allclose(again, dataset.features[:, 0], atol=1e-4)
