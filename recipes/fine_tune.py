"""Fine-tune a network on what `cache_views.py` wrote, and score what was held out.

    python recipes/fine_tune.py runs/fold-0 views --fold 0
    python recipes/fine_tune.py runs/without-ffpp views --sets mesonet ciplab
    python recipes/fine_tune.py runs/all views
    python recipes/fine_tune.py runs/closer closer-views --start runs/all/detector.keras

A training that goes on from a detector ends with the mean of the weights before and after, which
holds better on what neither saw (Wortsman et al., CVPR 2022, arXiv 2109.01903).

The run folder gets `detector.keras` and, of the images of the fold or set that was held out,
`scores-<set>.csv` with the network's own scores, for `pool_folds.py` and `mesonet benchmark
--scores`. An interrupted run goes on after its last epoch when the same command is given again,
and one that has its detector is only scored. Nothing is chosen by the held-out images: the last
epoch is kept.
"""

import argparse
import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from cache_views import FOLDS, SETTINGS_FILE, fold_numbers
from numpy.typing import NDArray

from mesonet.architectures import create_model, get_architecture
from mesonet.backend import keras
from mesonet.datasets.class_folders import ClassFolders
from mesonet.detector import Detector
from mesonet.evaluation.metrics import auc
from mesonet.evaluation.scores import score_folder
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo
from mesonet.training.fine_tuning import freeze

CLASSES = ("fake", "real")
DETECTOR = "detector.keras"


@dataclass(frozen=True, slots=True)
class Views:
    """What was kept of one fold of one set: maps, and the round and kind of each."""

    maps: NDArray[np.float16]
    rounds: NDArray[np.int64]
    kinds: NDArray[np.str_]

    @classmethod
    def read(cls, path: Path) -> "Views":
        """Read ``<path>.npy``, which stays on disk, and ``<path>.json``."""
        rows = json.loads(path.with_suffix(".json").read_text())
        rounds, kinds = zip(*rows, strict=True)
        maps = np.load(path.with_suffix(".npy"), mmap_mode="r")
        return cls(maps, np.array(rounds), np.array(kinds))


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """One round of all views an epoch, shuffled, with a share of the blends."""

    def __init__(self, parts: list[Views], batch_size: int, blend: float, seed: int) -> None:
        super().__init__(workers=1, max_queue_size=4)
        self.parts, self.batch_size, self.blend, self.seed = parts, batch_size, blend, seed
        self.start(0)
        self.batches = len(self.order) // batch_size

    def start(self, epoch: int) -> None:
        """Draw the order of an epoch."""
        self.epoch = epoch
        rng = np.random.default_rng([self.seed, epoch])
        order = []
        for number, part in enumerate(self.parts):
            rows = np.flatnonzero(part.rounds == epoch % (part.rounds.max() + 1))
            rows = rows[(part.kinds[rows] != "blend") | (rng.random(len(rows)) < self.blend)]
            order.append(np.column_stack([np.full(len(rows), number), rows]))
        self.order = rng.permutation(np.concatenate(order))

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        places = np.arange(index * self.batch_size, (index + 1) * self.batch_size)
        chosen = self.order[places % len(self.order)]
        maps = np.stack([self.parts[part].maps[row] for part, row in chosen])
        real = [self.parts[part].kinds[row] == "real" for part, row in chosen]
        return maps.astype(np.float32), np.array(real, np.float32)

    def on_epoch_end(self) -> None:
        """Go on with the next round."""
        self.start(self.epoch + 1)


def resumable(run: Path, start: Callable[[int], None]) -> list[keras.callbacks.Callback]:
    """Callbacks of a training that goes on after its last epoch; ``start`` is told each epoch."""
    return [
        keras.callbacks.BackupAndRestore(run / "interrupted"),
        keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: start(epoch)),
        keras.callbacks.CSVLogger(run / "training.csv", append=True),
    ]


def train(run: Path, parts: list[Views], settings: Any, arguments: argparse.Namespace) -> None:
    """Train the layers that were not kept, and save the whole network."""
    keras.utils.set_random_seed(arguments.seed)
    name = settings["architecture"]
    weights = None if arguments.start else "imagenet"
    model = create_model(name, settings["size"], weights=weights, dropout=0.3)
    before = load_model(arguments.start)[0].get_weights() if arguments.start else None
    if before:
        model.set_weights(before)
    freeze(model, settings["until"])
    start = next(layer for layer in model.layers if layer.name.startswith(settings["until"]))
    later = keras.Model(start.input, model.output)
    batches = Batches(parts, arguments.batch_size, arguments.blend, arguments.seed)
    steps = len(batches) * arguments.epochs
    rate = keras.optimizers.schedules.CosineDecay(
        arguments.learning_rate / 100,
        steps - steps // 10,
        warmup_target=arguments.learning_rate,
        warmup_steps=steps // 10,
    )
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=1.0, use_ema=True, ema_momentum=0.98)
    later.compile(optimizer, "binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])
    callbacks = resumable(run, batches.start)
    later.fit(batches, epochs=arguments.epochs, shuffle=False, callbacks=callbacks, verbose=2)
    if before:
        pairs = zip(before, model.get_weights(), strict=True)
        model.set_weights([(old + new) / 2 for old, new in pairs])
    usual = replace(get_architecture(name).preprocessing, size=settings["size"])
    save_model(model, run / DETECTOR, ModelInfo(name, usual, CLASSES))


def write_scores(run: Path, judged: dict[str, ClassFolders]) -> None:
    """Write `scores-<set>.csv` of the images that were held out, and print the AUC."""
    detector = Detector.load(run / DETECTOR)
    for name, data in judged.items():
        if not len(data):
            continue
        scores = score_folder(detector, data)
        with (run / f"scores-{name}.csv").open("w", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(("file", "fake", "fake_probability", "threshold"))
            for row in zip(scores.names, scores.is_fake, scores.fake_probability, strict=True):
                writer.writerow((*row, detector.info.threshold))
        print(f"{name}: {len(data)} images, AUC {auc(scores.is_fake, scores.fake_probability):.4f}")


def main() -> None:
    """Train once and score what was held out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("views", type=Path)
    parser.add_argument("--fold", type=int, choices=range(FOLDS), help="hold this one out")
    parser.add_argument("--sets", nargs="+", help="train on these alone, and score the others")
    parser.add_argument("--start", type=Path, help="detector to go on from and average with")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--blend", type=float, default=0.5, help="forgeries for each real image")
    arguments = parser.parse_args()
    arguments.run.mkdir(parents=True, exist_ok=True)
    settings = json.loads((arguments.views / SETTINGS_FILE).read_text())
    parts, judged = [], {}
    for folder, grouping in settings["data"]:
        name = Path(folder).name
        trained_on = not arguments.sets or name in arguments.sets
        held_out = [arguments.fold] if trained_on else range(FOLDS)
        kept = [fold for fold in range(FOLDS) if fold not in held_out]
        parts += [Views.read(arguments.views / f"{name}-{fold}") for fold in kept]
        data = ClassFolders.read(folder)
        judged[name] = data.subset(np.isin(fold_numbers(data, grouping), held_out))
    if not (arguments.run / DETECTOR).exists():
        train(arguments.run, parts, settings, arguments)
    write_scores(arguments.run, judged)


if __name__ == "__main__":
    main()
