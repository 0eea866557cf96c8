"""One network from one folder of video frames, tested on videos that were set aside.

The epoch (by ``monitor``) and the threshold (by balanced accuracy) are chosen on validation videos;
the test videos are looked at once, by the last stage.
"""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mesonet.architectures import create_model
from mesonet.backend import keras
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.groups import group_keys
from mesonet.datasets.splitting import split_dataset
from mesonet.detector import Detector
from mesonet.evaluation.metrics import auc, bootstrap_interval, choose_threshold
from mesonet.evaluation.scores import score_folder
from mesonet.files import write_text
from mesonet.model_file import load_model, save_model
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing
from mesonet.training.callbacks import HISTORY_FILE, find_best_model
from mesonet.training.training import train as train_network
from recipes.common.recipe import Recipe
from recipes.common.stage import Stage


def stages(recipe: Recipe) -> dict[str, Stage]:
    """Division, network, figures."""
    return {
        name: Stage(recipe.output / result, partial(run, recipe, recipe.output / result))
        for name, run, result in (
            ("split", split, "data"),
            ("train", train, "model.keras"),
            ("measure", measure, "results.json"),
        )
    }


def split(recipe: Recipe, result: Path) -> None:
    """Set the test groups aside."""
    split_dataset(recipe.folder, result, recipe.test, groups=recipe.groups, seed=recipe.seed)


def train(recipe: Recipe, result: Path) -> None:
    """Train, or go on with it, and keep the best epoch with its threshold."""
    folder, run = recipe.output / "data" / "train", recipe.output / "training"
    first, second = ClassFolders.read(folder).class_names
    keras.utils.set_random_seed(recipe.seed)
    train_network(
        load_model(recipe.start)[0] if recipe.start else create_model(recipe.architecture),
        folder,
        recipe.training,
        info=ModelInfo(recipe.architecture, Preprocessing(**recipe.preprocessing), (first, second)),
        run_dir=run,
        resume=(run / HISTORY_FILE).exists(),
        verbose=2,
    )
    best = find_best_model(run)
    if best is None:
        raise SystemExit(f"{run}: the run holds no model")
    _, held_out = ClassFolders.read(folder).split(recipe.validation, recipe.groups, recipe.seed)
    scores = score_folder(Detector.load(best), held_out)
    threshold = choose_threshold(scores.is_fake, scores.fake_probability)
    network, info = load_model(best)
    used = replace(info.training_data, sets=(recipe.folder.name,)) if info.training_data else None
    save_model(
        network,
        result,
        replace(info, threshold=threshold, kinds=recipe.kinds, training_data=used),
    )


def measure(recipe: Recipe, result: Path) -> None:
    """Figures on the test groups and on data that nothing was trained on."""
    detector = Detector.load(recipe.output / "model.keras")
    results = {
        "architecture": recipe.architecture,
        "seed": recipe.seed,
        "threshold": detector.info.threshold,
        "test": _figures(detector, recipe.output / "data" / "test", recipe.groups),
    }
    for one in recipe.unseen:
        results[one.folder.name] = _figures(detector, one.folder, one.groups)
    write_text(result, json.dumps(results, indent=1))
    print(json.dumps(results, indent=1))


def _figures(detector: Detector, folder: Path, grouping: str) -> dict[str, Any]:
    """Image and group figures; the interval of the AUC is drawn over groups."""
    scores = score_folder(detector, ClassFolders.read(folder))
    groups = group_keys(scores.names, grouping)
    low, high = bootstrap_interval(auc, scores.is_fake, scores.fake_probability, groups)
    threshold = detector.info.threshold
    return {
        "image": scores.image_metrics(threshold).to_dict(),
        "image_auc_interval": [low, high],
        "group": scores.group_metrics(threshold, grouping).to_dict(),
    }
