"""The commands that made the default detector, on a few small images."""

import numpy as np
import pytest
from tests.images import write_class_folders
from tests.recipe_runs import recipe, scores

from mesonet.architectures import create_model
from mesonet.backend import keras
from mesonet.datasets.class_folders import ClassFolders
from mesonet.detector import Detector
from mesonet.images.reading import load_image
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo, logit
from mesonet.preprocessing import Preprocessing

pytestmark = pytest.mark.slow

SIZE = 32
CLASSES = ("fake", "real")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_class_folders(tmp_path_factory.mktemp("data") / "faces", videos=10, frames=2)


def test_views_trainings_of_two_folds_and_a_calibrated_detector(tmp_path, folder):
    views = tmp_path / "views"
    small = ("--until", "blocks_15", "--size", SIZE, "--rounds", 1)
    data = ("--data", folder, "video")
    assert recipe("cache_views.py", views, *small, *data).returncode == 0
    other = recipe("cache_views.py", views, *small, *data, "--rounds", 2)
    assert other.returncode == 2
    assert "name another folder" in other.stderr
    runs = []
    for fold in (0, 1):
        runs.append(tmp_path / f"fold-{fold}")
        done = recipe("fine_tune.py", runs[-1], views, "--fold", fold, "--epochs", 1)
        assert done.returncode == 0, done.stderr

    def trained(run):
        return [(run / name).read_bytes() for name in ("detector.keras", "training.csv")]

    before = trained(runs[0])
    (runs[0] / f"scores-{folder.name}.csv").unlink()
    done = recipe("fine_tune.py", runs[0], views, "--fold", 0, "--epochs", 1)
    assert done.returncode == 0, done.stderr
    assert trained(runs[0]) == before
    closer = ("--fold", 1, "--epochs", 1, "--start", runs[0] / "detector.keras")
    done = recipe("fine_tune.py", tmp_path / "closer", views, *closer)
    assert done.returncode == 0, done.stderr
    before, after = (
        load_model(run / "detector.keras")[0] for run in (runs[0], tmp_path / "closer")
    )
    for layer, same in (("conv_stem", True), ("conv_head", False)):
        first, second = (model.get_layer(layer).get_weights()[0] for model in (before, after))
        assert np.array_equal(first, second) == same
    pooled, output = tmp_path / "pooled", tmp_path / "detector.keras"
    model = ("--model", runs[0] / "detector.keras", "--output", output)
    done = recipe("pool_folds.py", pooled, views, *runs, *model)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" image n ") == 2
    judged = [row["file"] for row in scores(pooled, folder.name)]
    held_out = [row["file"] for run in runs for row in scores(run, folder.name)]
    assert judged == held_out
    assert len(set(judged)) == len(judged)
    of_one_fold = ClassFolders.read(pooled / "fold-1" / folder.name)
    assert len(of_one_fold) == len(scores(runs[1], folder.name))
    assert Detector.load(pooled / "fold-1" / "detector.keras").info.band is not None
    info = Detector.load(output).info
    assert info.calibration is not None
    assert info.band is not None


def test_joined_networks_have_their_shares_and_one_is_heard_where_it_is_sure(tmp_path, folder):
    keras.utils.set_random_seed(0)
    files = [tmp_path / name for name in ("first.keras", "second.keras", "side.keras")]
    large = Preprocessing(SIZE, "bilinear", "symmetric")
    for file, said in zip(files[:2], (0, 1), strict=True):
        network = create_model("efficientnet_lite0", SIZE)
        kernel, bias = network.layers[-1].get_weights()
        network.layers[-1].set_weights([kernel, bias + said])
        save_model(network, file, ModelInfo("efficientnet_lite0", large, CLASSES))
    small = Preprocessing(SIZE, "bilinear")
    images = [load_image(path, small) for path in ClassFolders.read(folder).paths]
    side = create_model("meso4", SIZE)
    kernel, bias = side.layers[-1].get_weights()
    odds = logit(side.predict(small.scale(np.stack(images)), verbose=0)[:, 0])
    spread = 4 / odds.std()  # log odds on both sides of -1, 0 and 1
    side.layers[-1].set_weights([kernel * spread, (bias - odds.mean()) * spread])
    save_model(side, files[2], ModelInfo("meso4", small, CLASSES))
    data = ("--data", folder, "video", "--fold", 1)
    done = recipe("join.py", tmp_path / "joined", *files, *data)
    assert done.returncode == 0, done.stderr
    detector = Detector.load(tmp_path / "joined" / "detector.keras")
    rows = scores(tmp_path / "joined", folder.name)
    odds = []
    for model in (*map(Detector.load, files), detector):
        images = [load_image(folder / row["file"], model.info.preprocessing) for row in rows]
        odds.append(logit(model.raw_scores(model.info.preprocessing.scale(np.stack(images)))))
    assert odds[2].min() < -1 < 1 < odds[2].max()
    assert np.abs(odds[2]).min() < 1
    assert np.all(odds[0] > odds[1] + 0.5)
    heard = np.sign(odds[2]) * np.maximum(np.abs(odds[2]) - 1, 0)
    assert odds[3] == pytest.approx(odds[0] / 3 + odds[1] / 6 + heard / 2, abs=1e-3)
    other = tmp_path / "other.keras"
    save_model(
        load_model(files[2])[0], other, ModelInfo("meso4", Preprocessing(SIZE, "nearest"), CLASSES)
    )
    refused = recipe("join.py", tmp_path / "refused", *files[:2], other, *data)
    assert refused.returncode == 1
    assert refused.stderr.strip() == "the networks differ in size or interpolation"
