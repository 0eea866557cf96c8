"""The dataset at ``DATA_ROOT``, and predictions in a form that is easy to serialize."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from classifiers import conf
from mesonet.class_names import real_class
from mesonet.datasets.class_folders import ClassFolders
from mesonet.detector import Verdict
from mesonet.errors import DataError, ImageError
from mesonet.images.reading import load_image
from mesonet.preprocessing import Preprocessing

if TYPE_CHECKING:
    from classifiers.models import MLModel
    from mesonet.datasets.batches import ImageBatches

IMG_WIDTH = 256


@dataclass
class Prediction:
    """What a model says of one image.

    Attributes:
        img_url: URL of the image.
        true_label: the class it belongs to, by name.
        pred_label: the class the model sees in it, by name.
        probability: of the predicted label, a fraction or a percentage; an array of one number
            becomes that number.
        plots: URLs of plots of convolutional layers.
    """

    img_url: str
    true_label: str
    pred_label: str
    probability: float
    plots: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.probability = float(np.asarray(self.probability).item())


def dataset() -> ClassFolders:
    """List the dataset at ``DATA_ROOT``; no image is opened.

    Raises:
        DataError: it is missing, or not a folder with two class folders of images.
    """
    root = conf.data_root()
    try:
        return ClassFolders.read(root)
    except DataError as error:
        raise DataError(error.path.replace(str(root), "the dataset folder"), error.reason) from None


def get_data_generator(batch_size: int = 64, shuffle: bool = True) -> "ImageBatches":
    """Batches of the dataset's images of `IMG_WIDTH` pixels, with values 0..1, and their labels.

    Args:
        batch_size: images per batch.
        shuffle: draw the images in random order.

    Raises:
        DataError: there is no dataset.
    """
    from mesonet.datasets.batches import get_test_data_generator

    return get_test_data_generator(
        conf.data_root(), batch_size, shuffle, preprocessing=Preprocessing(size=IMG_WIDTH)
    )


def select_img_batch(
    batch_size: int,
) -> tuple[NDArray[np.float32], list[str], list[int], dict[int, str]]:
    """Draw images of the dataset at random.

    Args:
        batch_size: how many, at most as many as there are.

    Returns:
        Images of shape ``(batch_size, IMG_WIDTH, IMG_WIDTH, 3)`` with values 0..1, their names
        relative to ``DATA_ROOT``, their labels 0 or 1, and the class name of each label.

    Raises:
        DataError: there is no dataset.
        ValueError: it has fewer readable images.
    """
    data = dataset()
    preprocessing = Preprocessing(size=IMG_WIDTH)
    images: list[NDArray[np.uint8]] = []
    chosen: list[int] = []
    for index in _random_order(data, batch_size):
        with suppress(ImageError):
            images.append(load_image(data.paths[index], preprocessing))
            chosen.append(index)
        if len(chosen) == batch_size:
            break
    else:
        raise _too_few(batch_size, len(chosen))
    names = [data.names[index].as_posix() for index in chosen]
    labels = data.labels[chosen].tolist()
    return preprocessing.scale(np.stack(images)), names, labels, dict(enumerate(data.class_names))


def _random_order(data: ClassFolders, count: int) -> Iterator[int]:
    if count < 1:
        raise ValueError("ask for at least one image")
    if count > len(data):
        raise ValueError(f"{count} images are asked for, but the dataset has {len(data)}")
    return iter(np.random.default_rng().permutation(len(data)).tolist())


def _part(data: ClassFolders, count: int, seed: int, skip: int) -> Iterator[int]:
    order = np.random.default_rng(seed).permutation(len(data))
    return iter(order[skip : skip + count].tolist())


def _too_few(asked: int, readable: int) -> ValueError:
    return ValueError(
        f"{asked} images are asked for, but only {readable} of the dataset can be read"
    )


def get_dataset_size() -> int:
    """Number of images in the dataset.

    Raises:
        DataError: there is no dataset.
    """
    return len(dataset())


def clr_to_tabular(clr: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Turn scikit-learn's classification report into a table.

    Args:
        clr: the report as a dictionary.

    Returns:
        ``columns``, the headers, and ``rows``: one per class, then accuracy and averages, with
        two decimals.
    """
    support = clr["macro avg"]["support"] if "macro avg" in clr else ""
    rows = []
    for name, values in clr.items():
        label = int(name) if str(name).isdigit() else str(name).replace(" ", "_")
        if isinstance(values, Mapping):
            scores = [round(values[key], 2) for key in ("precision", "recall", "f1-score")]
            rows.append([label, *scores, int(values["support"])])
        else:
            rows.append([label, "", "", round(values, 2), support and int(support)])
    return {"columns": ["", "precision", "recall", "f1-score", "support"], "rows": rows}


def get_predictions(
    model: "MLModel",
    num_imgs: int,
    conv_idx: Sequence[int],
    *,
    seed: int | None = None,
    skip: int = 0,
) -> list[Prediction]:
    """Predict random images of the dataset.

    Args:
        model: the model; images are prepared the way it was trained with.
        num_imgs: how many images, at most as many as there are.
        conv_idx: indices of convolutional layers to draw, from 0; may be empty.
        seed: of a fixed random order, through which ``skip`` leads page by page. Of the images at
            those places there are fewer at its end, and where some cannot be read.
        skip: how many images of the fixed order to pass over.

    Returns:
        One prediction per image, by the model's own threshold; its probability is that of the
        predicted label, in percent with four decimals.

    Raises:
        DataError: there is no dataset.
        ValueError: it has fewer images, or the model no such layer.
        TimeoutError: drawing takes longer than ``CLASSIFIERS_DRAW_SECONDS``.
    """
    detector = model.get_detector()
    data = dataset()
    order = _random_order(data, num_imgs) if seed is None else _part(data, num_imgs, seed, skip)
    verdicts: list[tuple[int, Verdict]] = []
    while len(verdicts) < num_imgs and (some := list(islice(order, num_imgs - len(verdicts)))):
        results = detector.score([data.paths[index] for index in some])
        verdicts += [(i, verdict) for i, verdict in zip(some, results, strict=True) if verdict.ok]
    if len(verdicts) < num_imgs and seed is None:
        raise _too_few(num_imgs, len(verdicts))
    if conv_idx and verdicts:
        images = np.stack([detector.prepare(data.paths[index]) for index, _ in verdicts])
        plots = model.visualize_elsewhere(images, conv_idx)
    else:
        plots = [[]] * len(verdicts)
    real = real_class(data.class_names)
    return [
        Prediction(
            img_url=conf.data_url() + quote(data.names[index].as_posix()),
            true_label=data.class_names[data.labels[index]],
            pred_label=data.class_names[1 - real if verdict.called_fake else real],
            probability=round(100 * _of_the_call(verdict), 4),
            plots=urls,
        )
        for (index, verdict), urls in zip(verdicts, plots, strict=True)
    ]


def _of_the_call(verdict: Verdict) -> float:
    fake = verdict.fake_probability
    return fake if verdict.called_fake else 1 - fake
