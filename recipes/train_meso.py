r"""Train and measure the released Meso-4 and MesoInception-4.

    python recipes/train_meso.py DATA runs/meso4-0 --architecture meso4 --seed 0 \
        --start Meso4_DF.h5

DATA is a folder with two class folders of video frames, named ``<video>_<frame>.jpg``. A fifth
of the videos, drawn by the seed, is set aside as the test. Of the other videos 15 % are for
validation: the epoch (by loss) and the threshold (by balanced accuracy) are chosen on them. The
test videos are looked at once, at the end. An interrupted run goes on where it was when the
same command is given again. ``results.json`` holds the figures.

With ``--start`` a training goes on from trained weights, shorter and at a lower rate. The released
ones start from those that the MesoNet authors published.

The few training videos differ in size and colour more than in what was done to them, and a
network learns those by heart first. Hence the smooth interpolation, and on top of the default
augmentation a jitter of the colours, of the resolution and of the JPEG quality.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from mesonet.architectures import create_model
from mesonet.backend import keras
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import group_keys
from mesonet.datasets.splitting import split_dataset
from mesonet.detector import Detector
from mesonet.evaluation.metrics import auc, bootstrap_interval, choose_threshold
from mesonet.evaluation.scores import Scores, score_folder
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing
from mesonet.training.callbacks import HISTORY_FILE, find_best_model
from mesonet.training.training import train_model

TEST = 0.2
VALIDATION = 0.15
EPOCHS = {"meso4": 12, "mesoinception4": 8}
FROM_NOTHING: dict[str, Any] = {"lr": 1e-3, "decay_limit": 1e-5}
FROM_TRAINED: dict[str, Any] = {"lr": 3e-4, "schedule": "cosine", "weight_averaging": 0.98}
FURTHER_EPOCHS = 4
PREPROCESSING = Preprocessing(256, "bilinear")
AUGMENTATIONS = {
    "channel_jitter_range": 25,
    "resolution_range": (0.3, 1.0),
    "jpeg_quality_range": (40, 100),
}


def train(data: Path, run: Path, architecture: str, seed: int, start: Path | None) -> Path:
    """Train, choose epoch and threshold, and return the model's file."""
    if not (run / "data").exists():
        split_dataset(data, run / "data", TEST, groups="video", seed=seed)
    names = ClassFolders.read(run / "data" / "train").class_names
    class_names = names[0], names[1]
    keras.utils.set_random_seed(seed)
    train_model(
        load_model(start)[0] if start else create_model(architecture),
        run / "data" / "train",
        VALIDATION,
        augmentations=AUGMENTATIONS,
        epochs=FURTHER_EPOCHS if start else EPOCHS[architecture],
        stop_early=False,
        monitor="val_loss",
        groups="video",
        seed=seed,
        info=ModelInfo(architecture, PREPROCESSING, class_names),
        run_dir=run / "training",
        resume=(run / "training" / HISTORY_FILE).exists(),
        verbose=2,
        **(FROM_TRAINED if start else FROM_NOTHING),
    )
    best = find_best_model(run / "training")
    if best is None:
        raise SystemExit("the run holds no model")
    _, validation = ClassFolders.read(run / "data" / "train").split(VALIDATION, "video", seed)
    scores = score_folder(Detector.load(best), validation)
    threshold = choose_threshold(scores.is_fake, scores.fake_probability)
    network, info = load_model(best)
    model = run / f"{architecture}.keras"
    save_model(network, model, replace(info, threshold=threshold))
    return model


def report(scores: Scores, threshold: float, grouping: Any) -> dict[str, Any]:
    """Image and group figures; the interval of the AUC is drawn over groups."""
    groups = group_keys(scores.names, grouping)
    low, high = bootstrap_interval(auc, scores.is_fake, scores.fake_probability, groups)
    return {
        "image": scores.image_metrics(threshold).to_dict(),
        "image_auc_interval": [low, high],
        "group": scores.group_metrics(threshold, grouping).to_dict(),
    }


def main() -> None:
    """Run one seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--architecture", choices=EPOCHS, default="meso4")
    parser.add_argument("--start", type=Path, help="trained weights to go on from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--unseen",
        nargs=2,
        action="append",
        default=[],
        metavar=("DIR", "GROUPS"),
        help="also measure on this folder, which nothing was trained on",
    )
    arguments = parser.parse_args()
    model = train(
        arguments.data, arguments.run, arguments.architecture, arguments.seed, arguments.start
    )
    detector = Detector.load(model)
    limit = detector.info.threshold
    folders = [(arguments.run / "data" / "test", "video")]
    folders += [(Path(folder), grouping) for folder, grouping in arguments.unseen]
    results: dict[str, Any] = {
        "architecture": arguments.architecture,
        "seed": arguments.seed,
        "threshold": limit,
    }
    for folder, grouping in folders:
        scores = score_folder(detector, ClassFolders.read(folder))
        name = "test" if folder.parent.name == "data" and folder.name == "test" else folder.name
        results[name] = report(scores, limit, grouping)
    (arguments.run / "results.json").write_text(json.dumps(results, indent=1))
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
