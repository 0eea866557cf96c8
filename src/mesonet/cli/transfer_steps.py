"""Feature extraction with its progress, which two commands share."""

from dataclasses import replace
from pathlib import Path

from mesonet.architectures import create_backbone, get_architecture
from mesonet.backend import keras
from mesonet.cli.progress import progress_bar
from mesonet.datasets.class_folders import ClassFolders
from mesonet.transfer.extraction import extract_features
from mesonet.transfer.extractor import Pooling
from mesonet.transfer.store import FeatureDataset, FeatureRecipe


def extract(
    data_dir: Path,
    store: Path,
    *,
    backbone: str = "efficientnet_lite0",
    weights: str = "imagenet",
    size: int | None = None,
    pooling: Pooling = "mean",
    augment: int = 0,
    groups: str | None = None,
    seed: int = 0,
) -> FeatureDataset:
    """Write a feature store or go on with it, and watch."""
    data = ClassFolders.read(data_dir)
    preprocessing = get_architecture(backbone).preprocessing
    preprocessing = replace(preprocessing, size=size or preprocessing.size)
    keras.utils.set_random_seed(seed)
    source = None if weights == "none" else weights
    network = create_backbone(backbone, preprocessing.size, source)
    recipe = FeatureRecipe(
        backbone=backbone,
        weights=source,
        preprocessing=preprocessing,
        pooling=pooling,
        augmented=augment,
        seed=seed,
    )
    with progress_bar() as bar:
        extracting = bar.add_task("extracting features", total=len(data))
        return extract_features(
            store,
            data,
            network,
            recipe,
            groups=groups,
            progress=lambda done, _: bar.update(extracting, completed=done),
        )
