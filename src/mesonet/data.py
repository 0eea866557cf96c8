"""Batches and divisions of data folders, under the names of the specification."""

from mesonet.datasets.batches import (
    IMG_WIDTH,
    ImageBatches,
    get_test_data_generator,
    get_train_data_generator,
)
from mesonet.datasets.class_folders import ClassFolders
from mesonet.datasets.splitting import split_dataset

__all__ = [
    "IMG_WIDTH",
    "ClassFolders",
    "ImageBatches",
    "get_test_data_generator",
    "get_train_data_generator",
    "split_dataset",
]
