"""Training with a decaying learning rate, into a run folder that can be resumed."""

import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from mesonet.architectures import get_architecture, list_architectures
from mesonet.backend import keras
from mesonet.blending import Blending
from mesonet.class_folders import Progress
from mesonet.data import ImageBatches, get_train_data_generator
from mesonet.groups import Grouping
from mesonet.model import save_model_history
from mesonet.model_file import save_model
from mesonet.preprocessing import ModelInfo, Preprocessing
from mesonet.visualization import plot_loss_curve

HISTORY_FILE = "history.json"


def decay_schedule(
    lr: float, decay_rate: float, decay_limit: float, epochs: int, samples: int, batch_size: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Staircase exponential decay from ``lr`` towards ``decay_limit`` over the epochs.

    The rate is multiplied by ``decay_rate`` as often as it takes to reach the limit, at equal
    distances: 1e-3, rate 0.1, limit 1e-6, 30 epochs of 16,384 images and batches of 32 make
    three steps, every 10 epochs, which is every 5,120 batches.

    Returns:
        The schedule, or ``lr`` itself where no step fits: the limit is not below ``lr``, or the
        rate does not shrink it.

    Raises:
        ValueError: ``lr``, ``decay_rate`` or ``decay_limit`` is not positive.
    """
    if min(lr, decay_rate, decay_limit) <= 0:
        raise ValueError("learning rate, decay rate and decay limit must be positive")
    if decay_rate >= 1 or decay_limit >= lr:
        return lr
    num_times = math.floor(math.log(decay_limit / lr, decay_rate) + 1e-9)
    if num_times < 1:
        return lr
    per_epoch = max(epochs // num_times, 1)
    return keras.optimizers.schedules.ExponentialDecay(
        lr, max(samples // batch_size, 1) * per_epoch, decay_rate, staircase=True
    )


class _Recorder(keras.callbacks.Callback):  # type: ignore[misc]
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
        return len(self.history.get("loss", ()))

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        if self.monitor not in self.history:
            known = ", ".join(self.history)
            raise ValueError(f"{self.monitor} is not measured; measured are {known}")
        values = [self.sign * value for value in self.history[self.monitor]]
        if self.best and (len(values) == 1 or values[-1] > max(values[:-1])):
            save_model(self.model, self.best, self.info)
        self.model.save_weights(_state_file(self.run_dir, self.epochs))
        _write_text(self.run_dir / HISTORY_FILE, json.dumps(self.history, indent=1))
        _state_file(self.run_dir, self.epochs - 1).unlink(missing_ok=True)


class _EarlyStopping(keras.callbacks.EarlyStopping):  # type: ignore[misc]
    """Early stopping that remembers the epochs before an interruption."""

    def __init__(self, past: Sequence[float], **options: Any) -> None:
        super().__init__(**options)
        self.past = past

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        super().on_train_begin(logs)
        for epoch, value in enumerate(self.past):
            super().on_epoch_end(epoch, {self.monitor: value})


class _Averaging(keras.callbacks.SwapEMAWeights):  # type: ignore[misc]
    """Puts the moving average of the weights into the model between epochs."""

    def __init__(self, resumed: bool) -> None:
        super().__init__(swap_on_epoch=True)
        self._ema_weights_in_model = resumed


class _LogLearningRate(keras.callbacks.Callback):  # type: ignore[misc]
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self.rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        logs["learning_rate"] = self.rate


def _state_file(run_dir: Path, epochs: int) -> Path:
    return run_dir / f"state-{epochs:04d}.weights.h5"


def find_best_model(run_dir: str | os.PathLike[str]) -> Path | None:
    """The best model of a run folder, if one was saved."""
    found = sorted(Path(run_dir).glob("model-*.keras"))
    return found[-1] if found else None


def _write_text(path: Path, text: str) -> None:
    partial = path.with_name(f"next-{path.name}")
    partial.write_text(text)
    partial.replace(path)


def _is_lower_better(monitor: str, mode: str) -> bool:
    if mode not in {"auto", "min", "max"}:
        raise ValueError(f"mode must be auto, min or max, not {mode!r}")
    return mode == "min" or (mode == "auto" and "loss" in monitor)


def train_model(
    model: keras.Model,
    train_data_dir: str | os.PathLike[str],
    validation_split: float | None = None,
    batch_size: int = 32,
    use_default_augmentation: bool = True,
    augmentations: Mapping[str, Any] | None = None,
    epochs: int = 30,
    compile: bool = True,  # noqa: A002 - the documented name
    lr: float = 1e-3,
    loss: str = "binary_crossentropy",
    lr_decay: bool = True,
    decay_rate: float = 0.10,
    decay_limit: float = 1e-6,
    checkpoint: bool = True,
    stop_early: bool = True,
    monitor: str = "val_accuracy",
    mode: str = "auto",
    patience: int = 20,
    tensorboard: bool = True,
    loss_curve: bool = True,
    *,
    blending: Blending | None = None,
    weight_averaging: float | None = None,
    schedule: Literal["steps", "cosine"] = "steps",
    gradient_norm: float | None = None,
    groups: Grouping | None = None,
    seed: int = 0,
    info: ModelInfo | None = None,
    run_dir: str | os.PathLike[str] | None = None,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: Progress | None = None,
    verbose: str | int = "auto",
) -> keras.callbacks.History:
    """Train a binary classifier on a folder with two class folders.

    The run folder holds the best model (``model-<start time>.keras``), the history as
    ``history.json`` and ``history.pkl``, ``loss_curve.png``, TensorBoard events and, while
    training goes on, the state to resume from. The model keeps the weights of the last epoch.

    Args:
        model: a network with one sigmoid output.
        train_data_dir: the data folder.
        validation_split: share of the images to validate on, between 0 and 1; else none.
        batch_size: images per step.
        use_default_augmentation: see `mesonet.data.get_train_data_generator`.
        augmentations: see `mesonet.data.get_train_data_generator`.
        epochs: how often every image is seen.
        compile: give the model a new Adam optimizer; False trains a compiled model further
            and keeps its optimizer, loss and metrics.
        lr: learning rate to start from.
        loss: name of a Keras loss.
        lr_decay: let the rate decay, see `decay_schedule`.
        decay_rate: factor of each step of the decay.
        decay_limit: where the decay ends.
        checkpoint: save the best model.
        stop_early: stop when ``monitor`` has not improved for ``patience`` epochs.
        monitor: what best means; without validation, its training counterpart.
        mode: ``"max"``, ``"min"`` or ``"auto"`` (lower is better for a loss, else higher).
        patience: see ``stop_early``.
        tensorboard: write TensorBoard event files.
        loss_curve: draw the loss curve.
        blending: add forgeries blended from real training images.
        weight_averaging: momentum, 0..1, of a moving average of the weights over the steps;
            the average is what is validated and saved as the best model.
        schedule: how the rate decays: in ``"steps"`` as of `decay_schedule`, or as
            ``"cosine"`` down to zero, after a tenth of the training in which it rises to ``lr``.
        gradient_norm: largest length of a step's gradient; longer ones are shortened.
        groups: which images must stay on one side of the validation split, see
            `mesonet.groups.group_keys`.
        seed: of the split, the order and the augmentation.
        info: what the saved model is told about its images; by default the preprocessing of
            the architecture, in the input's size, and the names of the class folders.
        run_dir: the run folder, by default ``runs/<start time>``.
        resume: go on in ``run_dir`` after the last epoch that was completed there.
        callbacks: further Keras callbacks.
        progress: called while the images are checked.
        verbose: as of Keras' ``fit``.

    Returns:
        The figures of every epoch, those before an interruption included; also the learning
        rate.

    Raises:
        ValueError: arguments out of range, or ``monitor`` is nothing that is measured.
        mesonet.data.DataError: the folder is not a data folder.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, not {epochs}")
    started = time.strftime("%Y%m%d-%H%M%S")
    preprocessing = info.preprocessing if info else _usual_preprocessing(model)
    train, validation = get_train_data_generator(
        train_data_dir,
        batch_size,
        validation_split,
        use_default_augmentation,
        augmentations,
        blending=blending,
        groups=groups,
        seed=seed,
        preprocessing=preprocessing,
        progress=progress,
    )
    info = info or ModelInfo(
        architecture=model.name,
        preprocessing=preprocessing,
        class_names=(train.data.class_names[0], train.data.class_names[1]),
    )
    info = replace(info, calibration=None, band=None, error_rate=None)
    if compile:
        rate: Any = lr
        if lr_decay and schedule == "cosine":
            steps = len(train) * epochs
            rate = keras.optimizers.schedules.CosineDecay(
                lr / 10, steps - steps // 10, warmup_target=lr, warmup_steps=steps // 10
            )
        elif lr_decay:
            rate = decay_schedule(lr, decay_rate, decay_limit, epochs, train.samples, batch_size)
        optimizer = keras.optimizers.Adam(
            rate,
            global_clipnorm=gradient_norm,
            use_ema=weight_averaging is not None,
            ema_momentum=weight_averaging or 0.99,
        )
        model.compile(
            optimizer=optimizer, loss=loss, metrics=["accuracy", keras.metrics.AUC(name="auc")]
        )
    elif not model.compiled:
        raise ValueError("compile=False trains a compiled model further; this one is not compiled")
    if validation is None:
        monitor = monitor.removeprefix("val_")
    lowest = _is_lower_better(monitor, mode)

    run = Path(run_dir) if run_dir else Path("runs") / started
    if resume and not (run / HISTORY_FILE).is_file():
        raise ValueError(f"{run}: there is nothing to resume")
    if not resume and (run / HISTORY_FILE).exists():
        raise ValueError(f"{run}: this folder holds a run already; resume it or name another")
    run.mkdir(parents=True, exist_ok=True)
    best = None
    if checkpoint:
        best = (find_best_model(run) if resume else None) or run / f"model-{started}.keras"
    recorder = _Recorder(run, best, info, monitor, lowest)
    if resume:
        model.optimizer.build(model.trainable_variables)
        model.load_weights(_state_file(run, recorder.epochs))
    train.epoch = recorder.epochs

    used: list[keras.callbacks.Callback] = [_LogLearningRate(), recorder]
    if model.optimizer.use_ema:
        used.insert(0, _Averaging(resume))
    if tensorboard:
        used.append(keras.callbacks.TensorBoard(run / "tensorboard", write_graph=False))
    if stop_early:
        used.append(
            _EarlyStopping(
                recorder.history.get(monitor, ()),
                monitor=monitor,
                mode="min" if lowest else "max",
                patience=patience,
            )
        )
    history = keras.callbacks.History()
    if recorder.epochs < epochs:
        history = _fit(model, train, validation, epochs, [*used, *callbacks], verbose)
    history.history = recorder.history
    history.epoch = list(range(recorder.epochs))
    save_model_history(history, run / "history.pkl")
    if loss_curve:
        plot_loss_curve(history).savefig(run / "loss_curve.png", dpi=120)
    return history


def _usual_preprocessing(model: keras.Model) -> Preprocessing:
    """The preprocessing of the model's architecture, in the size of the model's images."""
    known = model.name in list_architectures()
    usual = get_architecture(model.name).preprocessing if known else Preprocessing()
    return replace(usual, size=int(model.input_shape[1]))


def _fit(
    model: keras.Model,
    train: ImageBatches,
    validation: ImageBatches | None,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: str | int,
) -> keras.callbacks.History:
    return model.fit(
        train,
        validation_data=validation,
        initial_epoch=train.epoch,
        epochs=epochs,
        callbacks=list(callbacks),
        shuffle=False,
        verbose=verbose,
    )
