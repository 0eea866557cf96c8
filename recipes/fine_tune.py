"""Fine-tune EfficientNet-Lite0 on one or several data sets, and measure it on held-out groups.

    python recipes/fine_tune.py runs/ciplab-0 --data CIPLAB CIPLAB/groups.csv --fold 0
    python recipes/fine_tune.py runs/ciplab --data CIPLAB CIPLAB/groups.csv

With `--fold` a fifth of the groups of every set, the same for every seed, is held out, and
`results.json` and a `scores-<set>.csv` for `mesonet benchmark --scores` tell how it went; without,
all images are trained on. A tenth of the training groups is for the calibration, the threshold
and the band, not for choosing an epoch: the last one is kept. An interrupted run goes on where it
was when the same command is given again.

Batch statistics, depthwise filters and the first three blocks stay as ImageNet made them: that
halves the time and keeps what a few thousand images cannot teach better. Real images bring
forgeries blended from themselves and from each other.
"""

import argparse
import csv
import json
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from mesonet.architectures import create_model, get_architecture
from mesonet.backend import keras
from mesonet.blending import Blending
from mesonet.class_folders import ClassFolders
from mesonet.detector import Detector
from mesonet.evaluation.calibration import calibrate
from mesonet.evaluation.metrics import auc, bootstrap_interval
from mesonet.evaluation.scores import Scores, score_folder
from mesonet.groups import Grouping, group_keys
from mesonet.model_file import save_model
from mesonet.preprocessing import ModelInfo
from mesonet.train import HISTORY_FILE, train_model
from mesonet.transfer.fine_tuning import freeze

ARCHITECTURE = "efficientnet_lite0"
CLASSES = ("fake", "real")
FOLDS = 5
VALIDATION = 0.1
AUGMENTATIONS = {
    "rotation_range": 10,
    "zoom_range": 0.1,
    "width_shift_range": 0.05,
    "height_shift_range": 0.05,
    "brightness_range": (0.85, 1.15),
    "channel_shift_range": 15,
    "channel_jitter_range": 10,
    "horizontal_flip": True,
    "resolution_range": (0.4, 1.0),
    "jpeg_quality_range": (40, 100),
}


def divide(
    data: ClassFolders, grouping: Grouping, fold: int | None
) -> tuple[ClassFolders, ClassFolders | None]:
    """Hold the fold's groups out, the same for every seed."""
    if fold is None:
        return data, None
    keys = group_keys(data.names, grouping)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    held_out = np.zeros(len(data), bool)
    held_out[list(splitter.split(data.labels, data.labels, keys))[fold][1]] = True
    return data.subset(~held_out), data.subset(held_out)


def mix(parts: dict[str, tuple[ClassFolders, Grouping]], folder: Path) -> Path:
    """Link all images into two class folders, and write down which belong together."""
    table = folder / "groups.csv"
    if table.exists():
        return table
    rows = []
    for name, (data, grouping) in parts.items():
        keys = group_keys(data.names, grouping)
        for path, fake, key in zip(data.paths, data.is_fake, keys, strict=True):
            link = PurePath(CLASSES[0] if fake else CLASSES[1], f"{name}_{path.name}")
            (folder / link).parent.mkdir(parents=True, exist_ok=True)
            (folder / link).unlink(missing_ok=True)
            (folder / link).symlink_to(path.resolve())
            rows.append((str(link), f"{name}/{key}"))
    with table.open("w", newline="") as lines:
        csv.writer(lines).writerows([("file", "group"), *rows])
    return table


def train(run: Path, table: Path, arguments: argparse.Namespace) -> Path:
    """Train, calibrate, and return the model's file."""
    keras.utils.set_random_seed(arguments.seed)
    model = create_model(ARCHITECTURE, weights="imagenet", dropout=0.3)
    freeze(model, "blocks_3")
    for layer in model.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            layer.trainable = False
    info = ModelInfo(ARCHITECTURE, get_architecture(ARCHITECTURE).preprocessing, CLASSES)
    blending = Blending(arguments.blend, arguments.others, tuple(arguments.face))
    train_model(
        model,
        table.parent,
        VALIDATION,
        arguments.batch_size,
        use_default_augmentation=False,
        augmentations=AUGMENTATIONS,
        epochs=arguments.epochs,
        lr=arguments.learning_rate,
        schedule="cosine",
        weight_averaging=0.98,
        gradient_norm=1.0,
        blending=blending if arguments.blend else None,
        stop_early=False,
        checkpoint=False,
        groups=table,
        seed=arguments.seed,
        info=info,
        run_dir=run / "training",
        resume=(run / "training" / HISTORY_FILE).exists(),
        verbose=2,
    )
    path = run / "detector.keras"
    bare = keras.Model(model.inputs[0], model.outputs[0], name=ARCHITECTURE)
    save_model(bare, path, info)
    _, validation = ClassFolders.read(table.parent).split(VALIDATION, table, arguments.seed)
    scores = score_folder(Detector.load(path), validation)
    save_model(bare, path, calibrate(info, scores.is_fake, scores.fake_probability))
    return path


def report(run: Path, name: str, scores: Scores, threshold: float, grouping: Grouping) -> Any:
    """Write the scores down and return the figures; intervals are drawn over groups."""
    with (run / f"scores-{name}.csv").open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("file", "fake_probability", "threshold"))
        for file, score in zip(scores.names, scores.fake_probability, strict=True):
            writer.writerow((file, score, threshold))
    groups = group_keys(scores.names, grouping)
    return {
        "image": scores.image_metrics(threshold).to_dict(),
        "image_auc_interval": bootstrap_interval(
            auc, scores.is_fake, scores.fake_probability, groups
        ),
        "group": scores.group_metrics(threshold, grouping).to_dict(),
    }


def main() -> None:
    """Run one fold, or all images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument(
        "--data", nargs=2, action="append", required=True, metavar=("DIR", "GROUPS")
    )
    parser.add_argument("--fold", type=int, choices=range(FOLDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--blend", type=float, default=0.5, help="forgeries for each real image")
    parser.add_argument("--others", type=float, default=0.5, help="share of them from two people")
    parser.add_argument("--face", type=float, nargs=2, default=(0.36, 0.46), help="see Blending")
    arguments = parser.parse_args()
    sets = {Path(folder).name: (Path(folder), groups) for folder, groups in arguments.data}
    parts, judged = {}, {}
    for name, (folder, grouping) in sets.items():
        rest, held_out = divide(ClassFolders.read(folder), grouping, arguments.fold)
        parts[name] = rest, grouping
        if held_out:
            judged[name] = held_out
    table = mix(parts, arguments.run / "images")
    detector = Detector.load(train(arguments.run, table, arguments))
    results: dict[str, Any] = {"seed": arguments.seed, "fold": arguments.fold}
    for name, held_out in judged.items():
        scores = score_folder(detector, held_out)
        results[name] = report(arguments.run, name, scores, detector.info.threshold, sets[name][1])
    (arguments.run / "results.json").write_text(json.dumps(results, indent=1))
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
