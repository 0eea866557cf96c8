"""What is done after every epoch: the run folder is kept true, and training may stop."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mesonet.backend import keras
from mesonet.errors import ArgumentError
from mesonet.files import write_text
from mesonet.model_file import save_model
from mesonet.model_info import ModelInfo

HISTORY_FILE = "history.json"


class Recorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps a run folder true after every epoch: best model, history, state to resume from.

    The history is written last: the state that belongs to it exists whenever it is read.
    """

    def __init__(
        self, run_dir: Path, best: Path | None, info: ModelInfo, monitor: str, lowest: bool
    ) -> None:
        super().__init__()
        self.run_dir = run_dir
        self.best = best
        self.info = info
        self.monitor = monitor
        self.sign = -1 if lowest else 1
        self.history: dict[str, list[float]] = {}
        path = run_dir / HISTORY_FILE
        if path.is_file():
            self.history = json.loads(path.read_text())

    @property
    def epochs(self) -> int:
        """How many epochs are done."""
        return len(self.history.get("loss", ()))

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        if self.monitor not in self.history:
            known = ", ".join(self.history)
            raise ArgumentError(f"{self.monitor} is not measured; measured are {known}")
        values = [self.sign * value for value in self.history[self.monitor]]
        if self.best and (len(values) == 1 or values[-1] > max(values[:-1])):
            save_model(self.model, self.best, self.info)
        self.model.save_weights(state_file(self.run_dir, self.epochs))
        write_text(self.run_dir / HISTORY_FILE, json.dumps(self.history, indent=1))
        state_file(self.run_dir, self.epochs - 1).unlink(missing_ok=True)


class EarlyStopping(keras.callbacks.EarlyStopping):  # type: ignore[misc]
    """Early stopping that remembers the epochs before an interruption."""

    def __init__(self, past: Sequence[float], **options: Any) -> None:
        super().__init__(**options)
        self.past = past

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        super().on_train_begin(logs)
        for epoch, value in enumerate(self.past):
            super().on_epoch_end(epoch, {self.monitor: value})


class Averaging(keras.callbacks.SwapEMAWeights):  # type: ignore[misc]
    """Puts the moving average of the weights into the model between epochs."""

    def __init__(self, resumed: bool) -> None:
        super().__init__(swap_on_epoch=True)
        self._ema_weights_in_model = resumed


class LogLearningRate(keras.callbacks.Callback):  # type: ignore[misc]
    """Adds the learning rate to the figures of every epoch."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self.rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        logs["learning_rate"] = self.rate


def state_file(run_dir: Path, epochs: int) -> Path:
    """Where the weights and the optimizer are kept after so many epochs."""
    return run_dir / f"state-{epochs:04d}.weights.h5"


def find_best_model(run_dir: str | os.PathLike[str]) -> Path | None:
    """The best model of a run folder, if one was saved."""
    found = sorted(Path(run_dir).glob("model-*.keras"))
    return found[-1] if found else None
