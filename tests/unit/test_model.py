import inspect
import pickle

import numpy as np
import pytest
from tests.images import write_class_folders, write_picture

from mesonet import model as library
from mesonet.architectures import create_model
from mesonet.backend import keras
from mesonet.errors import DataError
from mesonet.model import (
    activation_layer,
    build_model,
    conv2D,
    evaluate_model,
    fully_connected_layer,
    get_activation_model,
    get_classification_report,
    get_loaded_model,
    make_prediction,
    predict,
    save_model_history,
)

SIGNATURES = {
    "activation_layer": "(ip, activation, *args)",
    "conv2D": "(ip, filters, kernel_size, activation, padding='same', pool_size=(2, 2))",
    "fully_connected_layer": "(ip, units, activation, dropout)",
    "predict": "(model, data, steps=None, threshold=0.5)",
    "make_prediction": "(model_path, data_dir, threshold=0.5, batch_size=64, "
    "return_probs=False, return_report=False)",
    "get_loaded_model": "(path)",
    "get_activation_model": "(model, conv_idx)",
    "evaluate_model": "(model, test_data_dir, batch_size=64)",
    "get_classification_report": "(true, preds, output_dict=False)",
    "save_model_history": "(history, filename)",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_documented_signatures(name):
    signature = inspect.signature(getattr(library, name))
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    assert str(inspect.Signature(bare)) == SIGNATURES[name]


def test_build_model_signature():
    parameters = inspect.signature(build_model).parameters
    assert list(parameters) == ["ip", "activation", "dropout", "hidden_activation"]
    assert tuple(parameters["ip"].default.shape) == (None, 256, 256, 3)
    assert [p.default for p in list(parameters.values())[1:]] == ["relu", 0.5, "lrelu"]


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("relu", keras.layers.ReLU),
        ("elu", keras.layers.ELU),
        ("lrelu", keras.layers.LeakyReLU),
    ],
)
def test_activation_layer(name, layer):
    ip = keras.Input((4,))
    assert isinstance(keras.Model(ip, activation_layer(ip, name)).layers[-1], layer)


def test_activation_layer_passes_arguments_on_and_refuses_others():
    ip = keras.Input((1,))
    model = keras.Model(ip, activation_layer(ip, "lrelu", 0.25))
    assert model.predict(np.array([[-4.0]]), verbose=0).item() == pytest.approx(-1)
    with pytest.raises(KeyError):
        activation_layer(ip, "gelu")


def test_conv_block_is_convolution_activation_normalisation_pooling():
    ip = keras.Input((10, 10, 3))
    model = keras.Model(ip, conv2D(ip, 8, (3, 5), "elu", "VALID", 3))
    kinds = [type(layer).__name__ for layer in model.layers[1:]]
    assert kinds == ["Conv2D", "ELU", "BatchNormalization", "MaxPooling2D"]
    assert model.layers[1].kernel_size == (3, 5)
    assert model.layers[1].output.shape == (None, 8, 6, 8)
    assert model.output_shape == (None, 3, 2, 8)


def test_fully_connected_block_uses_alpha_of_a_tenth():
    ip = keras.Input((6,))
    for activation, slope in (("lrelu", "negative_slope"), ("elu", "alpha")):
        model = keras.Model(ip, fully_connected_layer(ip, 4, activation, 0.3))
        _, dense, active, dropout = model.layers
        assert dense.units == 4
        assert getattr(active, slope) == pytest.approx(0.1)
        assert dropout.rate == 0.3
    model = keras.Model(ip, fully_connected_layer(ip, 4, "relu", 0.3))
    negative = model.layers[2](np.array([-1.0]))
    assert float(negative[0]) == 0


def test_build_model_takes_other_inputs_and_activations():
    model = build_model(keras.Input((64, 48, 1)), "elu", 0.1, "relu")
    assert model.input_shape == (None, 64, 48, 1)
    assert build_model().count_params() == 28_073


def test_activation_model_gives_activated_layers_in_the_order_asked_for():
    model = create_model("meso4", 32)
    x = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    last, first = get_activation_model(model, [3, 0]).predict(x, verbose=0)
    assert first.shape == (2, 32, 32, 8)
    assert last.shape == (2, 4, 4, 16)
    assert first.min() == 0
    single = get_activation_model(model, [0]).predict(x, verbose=0)
    assert np.array_equal(single, first)
    convolution = keras.Model(model.inputs, model.layers[1].output).predict(x, verbose=0)
    assert np.allclose(first, np.maximum(convolution, 0))


def test_activation_model_names_what_there_is():
    with pytest.raises(ValueError, match="no layer 4: the model has 4 .*0 to 3"):
        get_activation_model(create_model("meso4", 32), [0, 4])
    with pytest.raises(ValueError, match="nothing to show"):
        get_activation_model(create_model("meso4", 32), [])


def test_predict_counts_the_threshold_itself_as_class_one():
    ip = keras.Input((1,))
    model = keras.Model(ip, keras.layers.Activation("linear")(ip))
    probabilities, classes = predict(model, np.array([[0.2], [0.5], [0.75]]), threshold=0.5)
    assert probabilities.shape == classes.shape == (3, 1)
    assert classes[:, 0].tolist() == [0, 1, 1]


def test_make_prediction(tiny_model, tmp_path):
    write_class_folders(tmp_path, videos=2, frames=2)
    rows, report = make_prediction(tiny_model, tmp_path)
    assert rows.shape == (8, 2)
    assert report == ""
    rows, report = make_prediction(tiny_model, tmp_path, return_probs=True, return_report=True)
    assert rows.shape == (8, 3)
    assert rows[0, 0] == "df/0_0.png"
    assert set(rows[:, 1]) <= {"df", "real"}
    assert all(50 <= percent <= 100 for percent in rows[:, 2])
    assert "precision" in report
    everything_real, _ = make_prediction(tiny_model, tmp_path, threshold=0)
    assert set(everything_real[:, 1]) == {"real"}


def test_make_prediction_on_a_plain_folder_uses_the_models_names(tiny_model, tmp_path):
    write_picture(tmp_path / "somebody.png")
    rows, _ = make_prediction(tiny_model, tmp_path)
    assert rows[0, 0] == "somebody.png"
    assert rows[0, 1] in {"df", "real"}
    with pytest.raises(DataError, match="two class folders"):
        make_prediction(tiny_model, tmp_path, return_report=True)


def test_make_prediction_follows_the_real_class_of_folders_that_sort_the_other_way(
    tiny_model, tmp_path
):
    write_class_folders(tmp_path, videos=1, frames=1, classes=("authentic", "forged"))
    rows, _ = make_prediction(tiny_model, tmp_path, threshold=0)
    assert set(rows[:, 1]) == {"authentic"}


def test_evaluate_model_of_a_loaded_model_leaves_it_uncompiled(tiny_model, tmp_path):
    ip = keras.Input((256, 256, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(ip)
    model = keras.Model(ip, keras.layers.Dense(1, activation="sigmoid")(pooled))
    loss, accuracy = evaluate_model(model, write_class_folders(tmp_path))
    assert loss > 0
    assert 0 <= accuracy <= 1
    assert not model.compiled
    model.compile(loss="mse", metrics=["mae"])
    assert len(evaluate_model(model, tmp_path)) == 2
    assert not get_loaded_model(tiny_model).compiled


def test_classification_report_as_text_and_as_numbers():
    true, preds = ["df", "real", "real"], ["df", "real", "df"]
    assert "weighted avg" in get_classification_report(true, preds)
    numbers = get_classification_report(true, preds, output_dict=True)
    assert numbers["real"]["recall"] == 0.5


def test_history_can_be_unpickled(tmp_path):
    history = keras.callbacks.History()
    history.history = {"loss": [1.0, 0.5]}
    save_model_history(history, tmp_path / "history.pkl")
    assert pickle.loads((tmp_path / "history.pkl").read_bytes()) == {"loss": [1.0, 0.5]}
