r"""Train a small network to stand beside the default one and help it with one kind of forgery.

    python recipes/train_side.py SIDE/fold-0 --start MesoInception_DF.h5 --kind mesonet --fold 0 \
        --data MESONET video --data FFPP pair --data CIPLAB CIPLAB/groups.csv

It goes on from weights that know the kind, learns the images of one set, and is asked for a
probability of one half for images of all other sets: `join.py` takes the mean of its log odds and
those of the default, so where it cannot tell it has to be silent. Half of a batch comes from the
set, as many real ones as forgeries, drawn by group first.

The run folder gets what `fine_tune.py` writes, and an interrupted run goes on likewise.
"""

import argparse
from pathlib import Path

import numpy as np
from cache_views import FOLDS
from faces import Faces, divide, wear
from fine_tune import CLASSES, DETECTOR, resumable, write_scores
from numpy.typing import NDArray

from mesonet.backend import keras
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing

EPOCH = 50
MOMENTUM = 0.98
PREPROCESSING = Preprocessing(256, "bilinear")


class Steps(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of images, half of them of the kind."""

    def __init__(self, sets: dict[str, Faces], kind: str, batch_size: int, seed: int) -> None:
        super().__init__(workers=1, max_queue_size=4)
        self.kind, self.batch_size, self.seed, self.epoch = sets[kind], batch_size, seed, 0
        self.others = [faces for name, faces in sets.items() if name != kind]

    def start(self, epoch: int) -> None:
        """Draw the images of an epoch from now on."""
        self.epoch = epoch

    def __len__(self) -> int:
        return EPOCH

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rng = np.random.default_rng([self.seed, self.epoch * EPOCH + index])
        images, targets = [], []
        for number in range(self.batch_size // 2):
            fake = bool(number % 2)
            others = self.others[number // 2 % len(self.others)]
            images += [wear(faces.draw(rng, fake=fake), rng) for faces in (self.kind, others)]
            targets += [1.0 - fake, 0.5]
        return PREPROCESSING.scale(np.stack(images)), np.array(targets, np.float32)[:, None]


def train(run: Path, network: keras.Model, steps: Steps, arguments: argparse.Namespace) -> None:
    """Train a network."""
    keras.utils.set_random_seed(arguments.seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = MOMENTUM
    rate = keras.optimizers.schedules.CosineDecay(
        arguments.learning_rate / 20,
        arguments.steps - EPOCH,
        warmup_target=arguments.learning_rate,
        warmup_steps=EPOCH,
    )
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=1.0, use_ema=True, ema_momentum=0.98)
    network.compile(optimizer, "binary_crossentropy")
    callbacks = resumable(run, steps.start)
    epochs = arguments.steps // EPOCH
    network.fit(steps, epochs=epochs, shuffle=False, callbacks=callbacks, verbose=2)


def main() -> None:
    """Train once and score what was held out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument(
        "--data", nargs=2, action="append", required=True, metavar=("DIR", "GROUPS")
    )
    parser.add_argument("--start", type=Path, required=True, help="weights to go on from")
    parser.add_argument("--kind", required=True, help="name of the set it has to tell")
    parser.add_argument("--fold", type=int, choices=range(FOLDS), help="hold this one out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=450)
    parser.add_argument("--batch-size", type=int, default=36)
    parser.add_argument("--learning-rate", type=float, default=6e-4)
    arguments = parser.parse_args()
    sets, judged = divide(arguments.data, PREPROCESSING, arguments.fold)
    if arguments.kind not in sets or len(sets) < 2:
        parser.error("the kind has to be one of several sets")
    arguments.run.mkdir(parents=True, exist_ok=True)
    network, info = load_model(arguments.start)
    detector = arguments.run / DETECTOR
    if not detector.exists():
        steps = Steps(sets, arguments.kind, arguments.batch_size, arguments.seed)
        train(arguments.run, network, steps, arguments)
        save_model(network, detector, ModelInfo(info.architecture, PREPROCESSING, CLASSES))
    write_scores(arguments.run, judged)


if __name__ == "__main__":
    main()
