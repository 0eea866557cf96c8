"""Build MesoNet variants and obtain predictions, evaluations and explanations from them.

In this module a probability is that of class 1, the alphabetically last class folder, which
is normally ``real``. `mesonet.detector` speaks of the probability of manipulation instead.
"""

import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import classification_report

from mesonet.architectures.blocks import activation_layer, conv2D, fully_connected_layer
from mesonet.architectures.meso4 import meso4
from mesonet.backend import keras
from mesonet.class_names import real_class
from mesonet.datasets.batches import IMG_WIDTH, ImageBatches, get_test_data_generator
from mesonet.datasets.class_folders import ClassFolders
from mesonet.errors import ArgumentError, DataError
from mesonet.model_file import load_model

__all__ = [
    "activation_layer",
    "build_model",
    "conv2D",
    "conv_layers",
    "evaluate_model",
    "fully_connected_layer",
    "get_activation_model",
    "get_classification_report",
    "get_loaded_model",
    "make_prediction",
    "predict",
    "save_model_history",
]

_ACTIVATION_LAYERS = (
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
)
_CONV_LAYERS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)


def build_model(
    ip: keras.KerasTensor = keras.Input(shape=(IMG_WIDTH, IMG_WIDTH, 3)),  # noqa: B008
    activation: str = "relu",
    dropout: float = 0.5,
    hidden_activation: str = "lrelu",
) -> keras.Model:
    """Build Meso-4 (Afchar et al., WIFS 2018, arXiv 1809.00888).

    Args:
        ip: input tensor of shape ``(batch, height, width, 3)``, values 0..1.
        activation: of the convolutional layers: ``"relu"``, ``"elu"`` or ``"lrelu"``.
        dropout: share of activations dropped in training before and after the hidden layer.
        hidden_activation: of the hidden dense layer: ``"relu"``, ``"elu"`` or ``"lrelu"``.

    Returns:
        An uncompiled model whose output, of shape ``(batch, 1)``, is the probability of
        class 1.

    Raises:
        KeyError: an activation is none of the three.
    """
    return meso4(ip, activation, dropout, hidden_activation)


def get_loaded_model(path: str | os.PathLike[str]) -> keras.Model:
    """Load a saved model: ``.keras``, a full HDF5 model, or the HDF5 weights of a known network.

    Returns:
        The model, not compiled.

    Raises:
        mesonet.errors.ModelFileError: the file is broken, is no model, or brings code.
    """
    return load_model(path)[0]


def conv_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The two-dimensional convolutional layers of a model, in its order."""
    return [layer for layer in model.layers if isinstance(layer, _CONV_LAYERS)]


def _activated(layer: keras.layers.Layer) -> keras.KerasTensor:
    """A convolution's output, behind the activation layer that follows it, if one does."""
    consumers = [node.operation for node in layer._outbound_nodes]
    if len(consumers) == 1 and isinstance(consumers[0], _ACTIVATION_LAYERS):
        return consumers[0].output
    return layer.output


def get_activation_model(model: keras.Model, conv_idx: Sequence[int]) -> keras.Model:
    """Build a model that gives the activated outputs of convolutional layers.

    Args:
        model: a trained network.
        conv_idx: indices of its convolutional layers, from 0, in the order wanted.

    Returns:
        A model with the input of ``model``; predicting with it gives one array of shape
        ``(n, height, width, filters)`` per index, in a list unless there is only one.

    Raises:
        ValueError: no index is given, or one that the model has not.
    """
    found = conv_layers(model)
    wrong = [index for index in conv_idx if not 0 <= index < len(found)]
    if wrong or not len(conv_idx):
        asked = f"no layer {wrong[0]}" if wrong else "nothing to show"
        raise ArgumentError(
            f"{asked}: the model has {len(found)} convolutional layers, 0 to {len(found) - 1}"
        )
    outputs = [_activated(found[index]) for index in conv_idx]
    return keras.Model(model.inputs[0], outputs if len(outputs) > 1 else outputs[0])


def evaluate_model(
    model: keras.Model, test_data_dir: str | os.PathLike[str], batch_size: int = 64
) -> list[float]:
    """Measure a model on a data folder, with the metrics it was trained with.

    Returns:
        The loss and every metric. A model that is not compiled is measured by binary
        cross-entropy and accuracy, and stays as it is.

    Raises:
        mesonet.errors.DataError: the folder is not a data folder.
    """
    if not model.compiled:
        model = keras.Model(model.inputs[0], model.outputs[0])
        model.compile(loss="binary_crossentropy", metrics=["accuracy"])
    results = model.evaluate(get_test_data_generator(test_data_dir, batch_size), verbose=0)
    return [float(value) for value in np.atleast_1d(results)]


def predict(
    model: keras.Model, data: Any, steps: int | None = None, threshold: float = 0.5
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Predict probabilities and classes with a model whose output is a sigmoid.

    Args:
        model: the network.
        data: whatever Keras' ``predict`` takes.
        steps: number of batches, by default all.
        threshold: smallest probability, 0..1, that counts as class 1.

    Returns:
        Probabilities of class 1 and classes 0 or 1, both of shape ``(n, 1)``.
    """
    probabilities = model.predict(data, steps=steps, verbose=0)
    return probabilities, (probabilities >= threshold).astype(np.int64)


def make_prediction(
    model_path: str | os.PathLike[str],
    data_dir: str | os.PathLike[str],
    threshold: float = 0.5,
    batch_size: int = 64,
    return_probs: bool = False,
    return_report: bool = False,
) -> tuple[NDArray[np.object_], str]:
    """Predict the images of a folder with a saved model.

    The images are prepared the way the model was trained with. Those that cannot be read are
    named in warnings and left out.

    Args:
        model_path: a model file, see `get_loaded_model`.
        data_dir: a folder with two class folders, whose names become the labels; or, without
            a report, any folder of images, labelled by the model's own class names.
        threshold: smallest probability, 0..1, that counts as class 1.
        batch_size: images per step.
        return_probs: add the probability of the predicted label, in percent.
        return_report: add a classification report.

    Returns:
        An object array with a row ``[file name, label]`` or ``[file name, label, percent]``
        for each image, and the report or an empty string.

    Raises:
        mesonet.errors.ModelFileError: the model cannot be loaded.
        mesonet.errors.DataError: there are no images, or no class folders to report on.
    """
    model, info = load_model(model_path)
    try:
        data = ClassFolders.read(data_dir)
    except DataError:
        if return_report:
            raise
        data = ClassFolders.unlabelled(data_dir, info.class_names)
    batches = ImageBatches(data.readable(), batch_size, preprocessing=info.preprocessing)
    probabilities, classes = predict(model, batches, threshold=threshold)

    names = np.array(batches.data.class_names, dtype=object)
    if real_class(batches.data.class_names) != info.real_class:
        names = names[::-1]
    columns: list[Any] = [np.array(batches.filenames, dtype=object), names[classes[:, 0]]]
    if return_probs:
        of_label = np.where(classes == 1, probabilities, 1 - probabilities)[:, 0]
        columns.append(100 * of_label.astype(float))
    report = ""
    if return_report:
        true = np.array(batches.data.class_names, dtype=object)[batches.classes]
        report = get_classification_report(true, columns[1])
    return np.column_stack([column.astype(object) for column in columns]), report


def get_classification_report(true: ArrayLike, preds: ArrayLike, output_dict: bool = False) -> Any:
    """Precision, recall, F1 and support per class, as scikit-learn reports them.

    Args:
        true: true labels, shape ``(n,)``.
        preds: predicted labels, as many.
        output_dict: give a dictionary instead of a printable table.
    """
    return classification_report(true, preds, output_dict=output_dict, zero_division=0)


def save_model_history(history: keras.callbacks.History, filename: str | os.PathLike[str]) -> None:
    """Write the figures of every epoch, ``history.history``, as a pickled dictionary of lists."""
    with Path(filename).open("wb") as file:
        pickle.dump(dict(history.history), file)
