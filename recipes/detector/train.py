r"""Train `standard`: EfficientNet-Lite0, from ImageNet's weights, on all five sets.

    python -m recipes.detector.train RUN --data DATA --boxes BOXES.csv

Blocks up to `CUT` stay as ImageNet made them and run on OpenVINO beside the training; the others
learn by Adam in rounds, each with a cosine schedule that starts from the averaged weights of the
round before (warm restarts, Loshchilov & Hutter, ICLR 2017, arXiv 1608.03983). A moving average
of the weights is what each round ends with, and the mean of these, by the rounds' shares, is what
is kept. The state is saved every hundred steps, and an interrupted run goes
on from there.
"""

import argparse
import threading
import time
from pathlib import Path
from queue import Queue
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mesonet.architectures import create_backbone, create_model
from mesonet.backend import keras
from mesonet.model_file import save_model
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing
from mesonet.runtime import openvino_function
from recipes.detector.batches import BATCH, STEPS, Batches, round_of
from recipes.detector.boxes import read_boxes
from recipes.detector.sets import samples

SIZE = 224
CUT = "blocks_4_add"
WARM = 60
AVERAGE = 0.993
DECAY = 0.005
SMOOTHING = 0.05

_Weights = list[NDArray[np.float32]]


def learning_rate(step: int) -> float:
    """Rises over the first steps of a round, then falls to a hundredth along a cosine."""
    stretch, step = round_of(step)
    fallen = 0.5 * (1 + np.cos(np.pi * step / stretch.steps))
    return float(stretch.rate * min(1, (step + 1) / WARM) * (0.99 * fallen + 0.01))


def parts() -> tuple[keras.Model, keras.Model, keras.Model]:
    """The part that stays, the part that learns up to the log odds, and both in one."""
    backbone = create_backbone("efficientnet_lite0", SIZE, "imagenet")
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.97
    middle = backbone.get_layer(CUT).output
    x = keras.layers.GlobalAveragePooling2D()(backbone.output)
    output = keras.layers.Dense(1, name="head", kernel_initializer="zeros")(
        keras.layers.Dropout(0.2)(x)
    )
    return (
        keras.Model(backbone.input, middle),
        keras.Model(middle, output),
        keras.Model(backbone.input, output),
    )


def feed(front: keras.Model, batches: Batches, start: int, queue: "Queue[Any]") -> None:
    """Draw batches and run the part that stays, ahead of the training."""
    import openvino

    run = openvino_function(openvino.convert_model(front))
    for number in range(start, STEPS):
        views, fake = batches(number)
        queue.put((run(views.astype(np.float32) / 127.5 - 1), fake))


class State:
    """What training goes on from: step, weights, their averages, and the optimizer's variables."""

    def __init__(self, path: Path, model: keras.Model, optimizer: Any) -> None:
        self.path, self.model, self.optimizer = path, model, optimizer
        self.step = 0
        self.average: _Weights = [weights.copy() for weights in model.get_weights()]
        self.mixed: _Weights = [np.zeros_like(weights) for weights in self.average]
        if path.is_file():
            with np.load(path) as saved:
                self.step = int(saved["step"])
                model.set_weights(_numbered(saved, "weights"))
                self.average = _numbered(saved, "average")
                self.mixed = _numbered(saved, "mixed")
                values = _numbered(saved, "optimizer")
            for variable, value in zip(optimizer.variables, values, strict=True):
                variable.assign(value)

    def advance(self) -> None:
        """Count a step and take its weights into the average."""
        self.step += 1
        keep = min(AVERAGE, self.step / (self.step + 9))
        weights = self.model.get_weights()
        self.average = [
            keep * old + (1 - keep) * new for old, new in zip(self.average, weights, strict=True)
        ]

    def end_round(self, share: float) -> None:
        """Take the average that a round ends with into the weights that are released."""
        self.mixed = [
            mixed + share * ended for mixed, ended in zip(self.mixed, self.average, strict=True)
        ]

    def restart(self) -> None:
        """Go on from the averaged weights, with an optimizer that remembers nothing."""
        self.model.set_weights(self.average)
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape))

    def save(self) -> None:
        """Write it beside its place and move it there."""
        arrays = {
            f"{name}{number:04}": np.asarray(value)
            for name, values in (
                ("weights", self.model.get_weights()),
                ("average", self.average),
                ("mixed", self.mixed),
                ("optimizer", self.optimizer.variables),
            )
            for number, value in enumerate(values)
        }
        beside = self.path.with_suffix(".writing.npz")
        np.savez(beside, step=self.step, **arrays)  # type: ignore[arg-type]
        beside.replace(self.path)


def _numbered(saved: Any, name: str) -> _Weights:
    return [saved[key] for key in sorted(saved.files) if key.startswith(name)]


def train(run: Path, batches: Batches) -> keras.Model:
    """Train, or go on, and give the averaged network up to its log odds."""
    front, back, whole = parts()
    optimizer = keras.optimizers.AdamW(weight_decay=DECAY, beta_2=0.99)
    optimizer.build(back.trainable_variables)
    state = State(run / "state.npz", back, optimizer)
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=SMOOTHING)

    @tf.function  # type: ignore[untyped-decorator]
    def learn(maps: Any, fake: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(fake[:, None], back(maps, training=True))
        gradients = tape.gradient(loss, back.trainable_variables)
        gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
        optimizer.apply_gradients(zip(gradients, back.trainable_variables, strict=True))
        return loss

    queue: Queue[Any] = Queue(6)
    arguments = (front, batches, state.step, queue)
    threading.Thread(target=feed, args=arguments, daemon=True).start()
    begun, first, losses = time.monotonic(), state.step, []
    while state.step < STEPS:
        maps, fake = queue.get()
        stretch, number = round_of(state.step)
        if state.step and number == 0:
            state.restart()
        optimizer.learning_rate.assign(learning_rate(state.step))
        losses.append(float(learn(tf.constant(maps), tf.constant(fake))))
        state.advance()
        if number == stretch.steps - 1:
            state.end_round(stretch.share)
        if state.step % 25 == 0:
            rate = (state.step - first) * BATCH / (time.monotonic() - begun)
            loss = np.mean(losses[-100:])
            print(f"step {state.step} of {STEPS}, loss {loss:.4f}, {rate:.1f} images/s", flush=True)
        if state.step % 100 == 0 or state.step == STEPS:
            state.save()
    back.set_weights(state.mixed)
    return whole


def release(network: keras.Model, path: Path) -> None:
    """Write the network as a model of mesonet, whose output is the probability of `real`."""
    model = create_model("efficientnet_lite0", SIZE)
    for layer in model.layers[:-1]:
        layer.set_weights(network.get_layer(layer.name).get_weights() if layer.weights else [])
    kernel, bias = network.get_layer("head").get_weights()
    model.get_layer("head").set_weights([-kernel, -bias])
    preprocessing = Preprocessing(SIZE, "bilinear", "symmetric")
    save_model(model, path, ModelInfo("efficientnet_lite0", preprocessing))


def main() -> None:
    """Train on the training part and write ``RUN/detector.keras``, not calibrated yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--boxes", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.run.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    chosen = [sample for sample in samples(arguments.data) if sample.part == "train"]
    boxes = read_boxes(arguments.boxes)
    batches = Batches(arguments.data, boxes, chosen, SIZE, arguments.seed)
    release(train(arguments.run, batches), arguments.run / "detector.keras")


if __name__ == "__main__":
    main()
