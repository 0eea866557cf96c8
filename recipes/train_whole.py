r"""Train a fine-tuned network on, all of its layers, to see where a face was blended.

    python recipes/train_whole.py RUN --start FIRST/without-ffpp/detector.keras \
        --data MESONET video --data FFPP pair --data CIPLAB CIPLAB/groups.csv --sets mesonet ciplab
    python recipes/train_whole.py RUN --start FIRST/fold-0/detector.keras --fold 0 \
        --data MESONET video --data FFPP pair --data CIPLAB CIPLAB/groups.csv

A step has as many images of each set, drawn by group first, so that long videos count no more
than short ones: real ones, most of them beside a forgery blended from the same view, and forgeries
of the set. Halves of further pairs teach the first layers to draw the border of what was blended
in, as in Face X-ray (Li et al., CVPR 2020, arXiv 1912.13458); that needs far fewer images than to
be told that there is one. What draws the border is thrown away in the end.

The run folder gets what `fine_tune.py` writes, and an interrupted run goes on likewise.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from cache_views import FOLDS
from faces import Faces, Image, divide, wear
from fine_tune import CLASSES, DETECTOR, resumable, write_scores
from numpy.typing import NDArray

from mesonet.architectures import create_model
from mesonet.backend import keras
from mesonet.images.blending import Blending
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo

REAL, BLENDED, FORGED, PAIRS = 9, 6, 7, 6
EPOCH = 50
STRIDE = 16
MOMENTUM = 0.97
OTHERS = 0.4

Map = NDArray[np.float32]


def draw_pair(
    faces: Faces, blending: Blending, rng: np.random.Generator
) -> tuple[Image, Image, Map]:
    """Draw a real image, a forgery of it, and the border of what was blended in, 0..1."""
    image = faces.draw(rng, fake=False)
    other = faces.draw(rng, fake=False) if rng.random() < blending.others else None
    real, forgery, mask = blending(image, rng, other)
    cells = len(mask) // STRIDE
    border = (4 * mask * (1 - mask)).reshape(cells, STRIDE, cells, STRIDE).max((1, 3))
    state = rng.bit_generator.state
    real = wear(real, rng)
    rng.bit_generator.state = state
    return real, wear(forgery, rng), border


def halves(
    pair: tuple[Image, Image, Map], rng: np.random.Generator
) -> tuple[list[Image], list[Map]]:
    """Half the height and width of both, where much of the border lies, twice."""
    real, forgery, border = pair
    half = len(border) // 2
    images: list[Image] = []
    borders: list[Map] = []
    for _ in range(2):
        corners = rng.integers(0, len(border) - half + 1, (3, 2))
        parts = [np.s_[y : y + half, x : x + half] for y, x in corners]
        best = int(np.argmax([border[part].sum() for part in parts]))
        y, x = corners[best] * STRIDE
        pixels = np.s_[y : y + half * STRIDE, x : x + half * STRIDE]
        images += [real[pixels], forgery[pixels]]
        borders += [np.zeros_like(border[parts[best]]), border[parts[best]]]
    return images, borders


class Steps(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of whole images with their labels, and of halves with their borders."""

    def __init__(self, sets: list[Faces], seed: int, blending: Blending | None) -> None:
        super().__init__(workers=1, max_queue_size=4)
        self.sets, self.seed, self.blending, self.epoch = sets, seed, blending, 0

    def start(self, epoch: int) -> None:
        """Draw the images of an epoch from now on."""
        self.epoch = epoch

    def __len__(self) -> int:
        return EPOCH

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        number = self.epoch * EPOCH + index
        rng = np.random.default_rng([self.seed, number])
        turns = [self.sets[(number + turn) % len(self.sets)] for turn in range(REAL)]
        blending = self.blending
        blended = BLENDED if blending else 0
        images: list[Image] = []
        if blending:
            for faces in turns[:blended]:
                images += draw_pair(faces, blending, rng)[:2]
        images += [wear(faces.draw(rng, fake=False), rng) for faces in turns[blended:]]
        labels = [1, 0] * blended + [1] * (REAL - blended)
        for faces in turns[:FORGED] if blending else turns:
            image = faces.draw(rng, fake=True)
            images.append(wear(blending.disguise(image, rng) if blending else image, rng))
            labels.append(0)
        scale = self.sets[0].preprocessing.scale
        x = {"image": scale(np.stack(images))}
        y = {"score": np.array(labels, np.float32)[:, None]}
        weights = {"score": np.ones(len(labels), np.float32)}
        if blending:
            pairs = [halves(draw_pair(faces, blending, rng), rng) for faces in turns[:PAIRS]]
            x["half"] = scale(np.stack([image for parts, _ in pairs for image in parts]))
            border = np.stack([border for _, borders in pairs for border in borders])
            y["border"], weights["border"] = border[..., None], 1 + 4 * border
        return x, y, weights


def trainable(network: keras.Model, *, plain: bool) -> tuple[keras.Model, keras.Model]:
    """What is trained - a copy of the network and, unless plain, what draws - and the copy."""
    layers = keras.layers
    size = network.input_shape[1]
    config = network.get_config()
    config["layers"][0]["config"]["batch_shape"] = (None, None, None, 3)
    judge = keras.Model.from_config(config)
    judge.set_weights(network.get_weights())
    for layer in judge.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = MOMENTUM
    inputs = {"image": layers.Input((size, size, 3), name="image")}
    outputs = {"score": layers.Identity(name="score")(judge(inputs["image"]))}
    if not plain:
        coarse, fine = (judge.get_layer(f"blocks_{block}_add").output for block in (10, 4))
        places = layers.Concatenate()([coarse, layers.AveragePooling2D(2)(fine)])
        places = layers.Conv2D(160, 1, use_bias=False)(places)
        places = layers.ReLU(6.0)(layers.BatchNormalization(momentum=MOMENTUM)(places))
        places = layers.SeparableConv2D(128, 3, padding="same", use_bias=False)(places)
        places = layers.ReLU(6.0)(layers.BatchNormalization(momentum=MOMENTUM)(places))
        draw = keras.Model(judge.input, layers.Conv2D(1, 1, activation="sigmoid")(places))
        inputs["half"] = layers.Input((size // 2, size // 2, 3), name="half")
        outputs["border"] = layers.Identity(name="border")(draw(inputs["half"]))
    return keras.Model(inputs, outputs), judge


def train(
    run: Path, network: keras.Model, sets: list[Faces], arguments: argparse.Namespace
) -> None:
    """Train a network."""
    keras.utils.set_random_seed(arguments.seed)
    model, judge = trainable(network, plain=arguments.plain)
    rate = keras.optimizers.schedules.CosineDecay(
        arguments.learning_rate / 20,
        arguments.steps - EPOCH,
        warmup_target=arguments.learning_rate,
        warmup_steps=EPOCH,
    )
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=1e-4, global_clipnorm=1.0, use_ema=True, ema_momentum=0.98
    )
    losses = {"score": "binary_crossentropy", "border": "binary_crossentropy"}
    weights = {"score": 1.0, "border": 3.0}
    auc = {"score": [keras.metrics.AUC(name="auc")]}
    model.compile(
        optimizer,
        {name: losses[name] for name in model.output},
        loss_weights={name: weights[name] for name in model.output},
        metrics=auc,
    )
    blending = Blending(BLENDED / REAL, others=OTHERS, smoothed=arguments.smoothed)
    steps = Steps(sets, arguments.seed, None if arguments.plain else blending)
    callbacks = resumable(run, steps.start)
    model.fit(steps, epochs=arguments.steps // EPOCH, shuffle=False, callbacks=callbacks, verbose=2)
    network.set_weights(judge.get_weights())


def main() -> None:
    """Train once and score what was held out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument(
        "--data", nargs=2, action="append", required=True, metavar=("DIR", "GROUPS")
    )
    parser.add_argument("--start", type=Path, required=True, help="detector to go on from")
    parser.add_argument("--fold", type=int, choices=range(FOLDS), help="hold this one out")
    parser.add_argument("--sets", nargs="+", help="train on these alone, and score the others")
    parser.add_argument("--plain", action="store_true", help="no blended forgeries")
    parser.add_argument("--smoothed", type=float, default=0.0, help="share of the blends, 0..1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    arguments = parser.parse_args()
    arguments.run.mkdir(parents=True, exist_ok=True)
    start, info = load_model(arguments.start)
    preprocessing = replace(info.preprocessing, size=arguments.size)
    sets, judged = divide(arguments.data, preprocessing, arguments.fold, arguments.sets)
    network = create_model(info.architecture, preprocessing.size, dropout=0.3)
    network.set_weights(start.get_weights())
    detector = arguments.run / DETECTOR
    if not detector.exists():
        train(arguments.run, network, list(sets.values()), arguments)
        save_model(network, detector, ModelInfo(info.architecture, preprocessing, CLASSES))
    write_scores(arguments.run, judged)


if __name__ == "__main__":
    main()
