r"""Run augmented images through the first layers of a network once, for many trainings.

    python recipes/cache_views.py views --data MESONET video --data FFPP pair \
        --data CIPLAB CIPLAB/groups.csv

These layers are not trained, so what they make of an image can be kept. Every round takes as many
images of each set, larger sets in turns. Half of them are moved and lit a little; the others are
shrunk, compressed and changed in colour too, and a real one of these comes with a forgery blended
from it. Groups are divided into five folds first, and both faces of a blend come from one
fold, so that any fold can be held out later. An interrupted run goes on with the fold it was at
when the same command is given again.
"""

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from mesonet.architectures import create_model, get_architecture
from mesonet.backend import keras
from mesonet.datasets.batches import ImageBatches
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import Grouping, group_keys
from mesonet.images.augmentation import Augmentation
from mesonet.images.blending import Blending
from mesonet.parallel import cores
from mesonet.transfer.extractor import feature_runtime

SETTINGS_FILE = "views.json"
FOLDS = 5
BATCH = 16
LIGHT = Augmentation(
    width_shift_range=0.05,
    height_shift_range=0.05,
    brightness_range=(0.9, 1.1),
    channel_shift_range=10,
    horizontal_flip=True,
)
HEAVY = Augmentation(
    zoom_range=0.1,
    width_shift_range=0.05,
    height_shift_range=0.05,
    brightness_range=(0.85, 1.15),
    channel_shift_range=15,
    channel_jitter_range=10,
    horizontal_flip=True,
    resolution_range=(0.4, 1.0),
    jpeg_quality_range=(40, 100),
)


def fold_numbers(data: ClassFolders, grouping: Grouping) -> NDArray[np.int64]:
    """The fold of every image, shape ``(n,)``: the same whenever it is asked for."""
    keys = group_keys(data.names, grouping)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    numbers = np.zeros(len(data), np.int64)
    for fold, (_, held_out) in enumerate(splitter.split(data.labels, data.labels, keys)):
        numbers[held_out] = fold
    return numbers


def first_layers(model: keras.Model, until: str) -> keras.Model:
    """The layers before the first one whose name begins so."""
    start = next(layer for layer in model.layers if layer.name.startswith(until))
    return keras.Model(model.input, start.input)


def in_turns(data: ClassFolders, images: int, turns: int) -> Iterator[ClassFolders]:
    """As many images each time, until all had their turn, and again."""
    rng = np.random.default_rng(0)
    order = np.zeros(0, int)
    images = min(images, len(data))
    for _ in range(turns):
        if len(order) < images:
            rest = rng.permutation(np.setdiff1d(np.arange(len(data)), order))
            order = np.concatenate([order, rest])
        taken = np.zeros(len(data), bool)
        taken[order[:images]] = True
        order = order[images:]
        yield data.subset(taken)


def write_fold(path: Path, turns: list[ClassFolders], blending: Blending, model: Any) -> None:
    """Write ``<path>.npy``, the maps, and ``<path>.json``, the round and kind of each.

    Two turns make a round: one of light views and one of heavy views.
    """
    shape, run, preprocessing = model
    rows = []
    for number, data in enumerate(turns):
        heavy = number % 2
        for fake in data.is_fake:
            kinds = ("fake",) if fake else ("blend", "real") if heavy else ("real",)
            rows += [(number // 2, kind) for kind in kinds]
    partial = path.with_suffix(".partial")
    maps = open_memmap(partial, "w+", np.float16, (len(rows), *shape))
    done = 0
    with ThreadPoolExecutor(cores()) as pool:
        for number, data in enumerate(turns):
            batches = ImageBatches(
                data,
                BATCH,
                preprocessing=preprocessing,
                augmentation=HEAVY if number % 2 else LIGHT,
                blending=blending if number % 2 else None,
                seed=number,
            )
            for views in pool.map(lambda i, b=batches: run(b[i][0]), range(len(batches))):
                maps[done : done + len(views)] = views
                done += len(views)
    maps.flush()
    path.with_suffix(".json").write_text(json.dumps(rows))
    partial.replace(path.with_suffix(".npy"))


def main() -> None:
    """Write what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("views", type=Path)
    parser.add_argument(
        "--data", nargs=2, action="append", required=True, metavar=("DIR", "GROUPS")
    )
    parser.add_argument("--architecture", default="efficientnet_lite0")
    parser.add_argument("--until", default="blocks_5", help="name of the first trained layers")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--images", type=int, default=1600, help="of each set in a round")
    parser.add_argument("--others", type=float, default=0.5, help="share of blends of two people")
    arguments = parser.parse_args()
    arguments.views.mkdir(parents=True, exist_ok=True)
    settings = json.dumps({k: v for k, v in vars(arguments).items() if k != "views"}, indent=1)
    written = arguments.views / SETTINGS_FILE
    if written.exists() and written.read_text() != settings:
        parser.error(f"{arguments.views} holds views made with other settings; name another folder")
    written.write_text(settings)
    prepared = replace(get_architecture(arguments.architecture).preprocessing, size=arguments.size)
    network = create_model(arguments.architecture, arguments.size, weights="imagenet")
    stem = first_layers(network, arguments.until)
    model = stem.output_shape[1:], feature_runtime(stem), prepared
    for folder, grouping in arguments.data:
        data = ClassFolders.read(folder)
        numbers = fold_numbers(data, grouping)
        for fold in range(FOLDS):
            path = arguments.views / f"{Path(folder).name}-{fold}"
            if not path.with_suffix(".npy").exists():
                part = data.subset(numbers == fold)
                turns = list(in_turns(part, arguments.images // FOLDS // 2, arguments.rounds * 2))
                write_fold(path, turns, Blending(1.0, arguments.others), model)
                print(f"{path}: done", flush=True)


if __name__ == "__main__":
    main()
