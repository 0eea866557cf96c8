"""The database model, the utilities and the serializers of the app."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files import File
from rest_framework.renderers import JSONRenderer
from tests.integration.server.helpers import SIZE, picture, upload

from classifiers import loading, utils
from classifiers.models import MLModel
from classifiers.serializers import MLModelSerializer, PredictionSerializer
from mesonet.errors import DataError
from mesonet.model_file import load_model

pytestmark = pytest.mark.django_db(transaction=True)


def batch(count: int = 3) -> Any:
    return np.random.default_rng(0).random((count, SIZE, SIZE, 3), np.float32)


def test_saving_measures_like_the_library(model: MLModel, model_file: Path, dataset: Path) -> None:
    from mesonet.data import get_test_data_generator
    from mesonet.model import get_classification_report, predict

    network, info = load_model(model_file)
    data = get_test_data_generator(dataset, 64, preprocessing=info.preprocessing)
    _, classes = predict(network, data)
    expected = get_classification_report(data.classes, classes[:, 0], output_dict=True)

    assert model.state == "done"
    assert model.progress == 100
    assert model.accuracy == round(100 * expected["accuracy"], 2)
    assert model.clr == utils.clr_to_tabular(expected)
    assert model.conv_layers == [[8, [3, 3]], [8, [5, 5]], [16, [5, 5]], [16, [5, 5]]]


def test_file_names(home: Path) -> None:
    model = MLModel(model_name="Model 1")

    assert model.get_model_filename("x.hdf5") == "trained_models/model_1.hdf5"
    assert model.get_loss_curve_filename("a.b.PNG") == "loss_curves/model_1_curve.png"
    assert MLModel(model_name="../../etc").get_model_filename("../p.h5") == "trained_models/etc.h5"


def test_the_file_lies_in_the_model_folder(model: MLModel, home: Path) -> None:
    assert Path(model.model_file.path) == home / "ml_models" / "trained_models" / "model_1.h5"
    with pytest.raises(ValueError, match="not accessible"):
        _ = model.model_file.url


def test_a_new_file_is_measured_again_and_the_old_one_goes(
    model: MLModel, model_files: dict[str, Path]
) -> None:
    old_path, old_hash = Path(model.model_file.path), model.model_hash
    MLModel.objects.update(accuracy=-1)

    model.model_desc = "another text"
    model.save(update_fields=["model_desc"])
    model.refresh_from_db()
    assert model.accuracy == -1

    with model_files["two"].open("rb") as file:
        model.model_file = File(file, "two.h5")
        model.save()

    assert model.accuracy >= 0
    assert model.model_hash != old_hash
    assert not old_path.exists()
    assert Path(model.model_file.path).exists()


def test_a_new_loss_curve_takes_the_place_of_the_old_one(model: MLModel) -> None:
    paths = []
    for seed in (0, 1):
        model.loss_curve = File(BytesIO(picture(seed)), "curve.png")
        model.save()
        paths.append(Path(model.loss_curve.path))
    model.save()
    assert [path.exists() for path in paths] == [False, True]


def test_deleting_a_model_deletes_its_file(model: MLModel) -> None:
    path = Path(model.model_file.path)
    MLModel.objects.all().delete()
    assert not path.exists()


def test_predict(model: MLModel, model_file: Path) -> None:
    expected = load_model(model_file)[0].predict(batch(), verbose=0)

    probabilities, classes = model.predict(batch(), threshold=float(expected[1, 0]))

    assert probabilities == pytest.approx(expected, abs=1e-6)
    assert classes.shape == (3, 1)
    assert classes[1, 0] == 1
    assert model.get_loaded_model() is model.get_loaded_model()


def test_activation_model(model: MLModel) -> None:
    one = model.get_activation_model([3]).predict(batch(), verbose=0)
    two = model.get_activation_model([3, 0]).predict(batch(), verbose=0)

    assert one.shape == (3, 4, 4, 16)
    assert two[0] == pytest.approx(one)
    assert two[1].shape == (3, SIZE, SIZE, 8)


def test_plots_are_saved_once(model: MLModel, home: Path) -> None:
    first = list(model.visualize_conv_layers(batch(2), [0, 3]))
    again = list(model.visualize_conv_layers(batch(2), [0, 3]))

    assert first == again
    assert [len(urls) for urls in first] == [2, 2]
    assert first[0][1].endswith("_conv3.png")
    files = list((home / "media" / "plots").iterdir())
    assert {f"/media/plots/{file.name}" for file in files} == {*first[0], *first[1]}
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_save_plot(home: Path) -> None:
    assert MLModel.save_plot(BytesIO(b"a"), "seed", 2) == "/media/plots/seed_conv2.png"
    assert MLModel.save_plot(BytesIO(b"a"), "seed", 2) == "/media/plots/seed_conv2.png"
    other = MLModel.save_plot(BytesIO(b"b"), "seed", 2)
    assert other.startswith("/media/plots/seed_conv2_")
    assert (home / other.removeprefix("/")).read_bytes() == b"b"


def test_detectors_are_loaded_once_and_bounded(
    dataset: Path, model_files: dict[str, Path], settings: Any
) -> None:
    settings.CLASSIFIERS_LOADED_MODELS = 1
    loading._loaded.clear()
    one, same = upload(model_files["one"]), upload(model_files["one"], "Model 2")
    detector = one.get_detector()

    assert same.get_detector() is detector
    upload(model_files["two"], "Model 3").get_detector()
    assert one.get_detector() is not detector


def test_threads_load_a_model_once(model: MLModel, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    original = loading._load

    def load(sha256: str, file: Any) -> Any:
        loads.append(sha256)
        time.sleep(0.2)
        return original(sha256, file)

    monkeypatch.setattr(loading, "_load", load)
    loading._loaded.clear()
    with ThreadPoolExecutor(8) as pool:
        detectors = list(pool.map(MLModel.get_detector, [model] * 8))
    assert loads == [model.model_hash]
    assert len(set(map(id, detectors))) == 1


def test_a_model_that_could_not_be_loaded_is_tried_again(
    model: MLModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise MemoryError

    loading._loaded.clear()
    with monkeypatch.context() as patch:
        patch.setattr(loading, "_load", fail)
        with pytest.raises(MemoryError):
            model.get_detector()
    assert model.get_detector()


def test_a_dataset_that_is_missing(home: Path, model_file: Path) -> None:
    model = upload(model_file)

    assert model.state == "done"
    assert model.accuracy is None
    assert model.conv_layers
    assert "no such folder" in model.message
    assert str(home) not in model.message


def test_a_file_that_is_no_model(dataset: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    path.write_text("hello")
    model = upload(path)

    assert model.state == "failed"
    assert model.message == "The model file is a text file, not a model."
    assert not model.usable


def test_unreadable_images_are_left_out(dataset: Path, model_file: Path) -> None:
    (dataset / "df" / "broken.png").write_bytes(b"no picture")
    model = upload(model_file)

    assert model.clr["rows"][0][-1] == 10
    assert model.message == "1 images could not be scored and were left out."


# Utilities


def test_dataset(dataset: Path) -> None:
    (dataset / "real" / "broken.png").write_bytes(b"no picture")

    images, names, labels, classes = utils.select_img_batch(20)

    assert utils.get_dataset_size() == 21
    assert images.shape == (20, 256, 256, 3)
    assert 0.9 < images.max() <= 1
    assert len(set(names)) == 20
    assert classes == {0: "df", 1: "real"}
    assert all(name.startswith(classes[label]) for name, label in zip(names, labels, strict=True))
    with pytest.raises(ValueError, match="22 images are asked for"):
        utils.select_img_batch(22)
    with pytest.raises(ValueError, match="only 20"):
        utils.select_img_batch(21)


def test_data_generator(dataset: Path) -> None:
    images, labels = utils.get_data_generator(batch_size=7, shuffle=False)[0]
    assert images.shape == (7, 256, 256, 3)
    assert labels.tolist() == [0] * 7


def test_report_as_a_table() -> None:
    averages = {"precision": 0.961, "recall": 0.959, "f1-score": 0.96, "support": 1945.0}
    report = {
        "0": {"precision": 0.96, "recall": 0.94, "f1-score": 0.95, "support": 773.0},
        "accuracy": 0.9597,
        "macro avg": averages,
    }
    assert utils.clr_to_tabular(report) == {
        "columns": ["", "precision", "recall", "f1-score", "support"],
        "rows": [
            [0, 0.96, 0.94, 0.95, 773],
            ["accuracy", "", "", 0.96, 1945],
            ["macro_avg", 0.96, 0.96, 0.96, 1945],
        ],
    }


def test_predictions(model: MLModel, dataset: Path) -> None:
    predictions = utils.get_predictions(model, 20, [])

    by_name = {p.img_url.removeprefix("/media/data/"): p for p in predictions}
    for verdict in model.get_detector().predict(sorted(dataset.rglob("*.png"))):
        prediction = by_name[str(Path(verdict.path).relative_to(dataset))]
        expected = "df" if verdict.label == "deepfake" else "real"
        assert prediction.pred_label == expected
        assert prediction.true_label == Path(verdict.path).parent.name
        assert prediction.probability == pytest.approx(100 * verdict.probability, abs=1e-3)


def test_predictions_of_a_calibrated_model_know_two_classes(
    calibrated_file: Path, transactional_db: None, dataset: Path
) -> None:
    model = upload(calibrated_file)
    verdicts = list(model.get_detector().predict(sorted(dataset.rglob("*.png"))))
    called = {Path(v.path).name: "df" if v.called_fake else "real" for v in verdicts}
    right = np.mean([called[Path(v.path).name] == Path(v.path).parent.name for v in verdicts])

    predictions = utils.get_predictions(model, 20, [])

    assert {Path(p.img_url).name: p.pred_label for p in predictions} == called
    assert model.accuracy == pytest.approx(100 * right, abs=0.01)
    assert {"real", "df", "uncertain"} > set(called.values())


def test_predictions_without_a_dataset(home: Path, model_file: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        utils.get_predictions(upload(model_file), 1, [])


def test_the_model_serializer_gives_all_but_the_file(model: MLModel) -> None:
    data = json.loads(JSONRenderer().render(MLModelSerializer(model).data))

    assert data["model_id"] == str(model.model_id)
    assert data["accuracy"] == model.accuracy
    assert set(data) == {
        *("model_id", "model_name", "model_desc", "loss_curve", "accuracy", "clr", "conv_layers")
    }
    assert "model_file" in MLModelSerializer().fields


# The examples of the specification


def test_example_of_a_prediction(
    dataset: Path, model_file: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (dataset / "real" / "real_0.png").rename(dataset / "real" / "real_img.png")
    monkeypatch.chdir(home)
    upload(model_file)
    size = SIZE

    from tensorflow.keras.preprocessing import image

    from classifiers.models import MLModel
    from classifiers.utils import Prediction

    img = image.load_img("media/data/real/real_img.png", target_size=(size, size))
    img = np.expand_dims(img, axis=0)
    model = MLModel.objects.first()
    prob, pred = model.predict(img)
    pred = "real" if pred[0] == 1 else "deepfake"
    prediction = Prediction(
        img_url="/media/data/real/real_img.png/",
        true_label="real",
        pred_label=pred,
        probability=prob[0],
    )

    assert PredictionSerializer(prediction).data == {
        "img_url": "/media/data/real/real_img.png/",
        "true_label": "real",
        "pred_label": pred,
        "probability": pytest.approx(prob[0, 0]),
        "plots": [],
    }


def test_example_of_the_serializer(dataset: Path, model_file: Path) -> None:
    upload(model_file)
    from classifiers.models import MLModel
    from classifiers.utils import get_predictions

    model = MLModel.objects.first()
    predictions = get_predictions(model, 2, conv_idx=[0, 3])
    serialized = PredictionSerializer(predictions, many=True)
    loaded = json.loads(json.dumps(serialized.data))

    assert len(loaded) == 2
    assert all(len(entry["plots"]) == 2 for entry in loaded)


def test_what_a_view_needs_of_a_model_needs_no_network(
    model: MLModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.refresh_from_db()
    known = model.get_detector().info
    loading._loaded.clear()
    monkeypatch.setattr(loading, "_load", None)
    assert model.get_info() == known
    monkeypatch.undo()
    MLModel.objects.filter(pk=model.pk).update(info=None)  # as before 0.2
    old = MLModel.objects.get(pk=model.pk)
    assert old.get_info() == known
    assert MLModel.objects.get(pk=model.pk).info == known.to_dict()
