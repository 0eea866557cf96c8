"""Training, under the names of the specification."""

from mesonet.training.callbacks import find_best_model
from mesonet.training.schedules import decay_schedule
from mesonet.training.training import train_model

__all__ = ["decay_schedule", "find_best_model", "train_model"]
