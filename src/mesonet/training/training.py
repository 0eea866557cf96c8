"""Training with a decaying learning rate, into a run folder that can be resumed."""

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from mesonet.architectures import get_architecture, list_architectures
from mesonet.backend import keras
from mesonet.datasets.batches import ImageBatches, get_train_data_generator
from mesonet.datasets.groups import Grouping
from mesonet.errors import ArgumentError, InputError
from mesonet.images.blending import Blending
from mesonet.model import save_model_history
from mesonet.model_info import ModelInfo
from mesonet.preprocessing import Preprocessing
from mesonet.progress import Progress
from mesonet.training.callbacks import (
    HISTORY_FILE,
    Averaging,
    EarlyStopping,
    LogLearningRate,
    Recorder,
    find_best_model,
    state_file,
)
from mesonet.training.schedules import decay_schedule
from mesonet.visualization import plot_loss_curve

_CHANCE = 0.55


def _is_lower_better(monitor: str, mode: str) -> bool:
    if mode not in {"auto", "min", "max"}:
        raise ArgumentError(f"mode must be auto, min or max, not {mode!r}")
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
        lr_decay: let the rate decay, see `mesonet.training.schedules.decay_schedule`.
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
        schedule: in ``"steps"`` as in `mesonet.training.schedules.decay_schedule`, or as
            ``"cosine"`` down to zero, after a tenth of the training in which it rises to ``lr``.
        gradient_norm: largest length of a step's gradient; longer ones are shortened.
        groups: which images must stay on one side of the validation split, see
            `mesonet.datasets.groups.group_keys`.
        seed: of the split, the order and the augmentation.
        info: what the saved model is told about its images; by default the preprocessing of
            the architecture, in the input's size, and the names of the class folders.
        run_dir: the run folder, by default ``runs/<start time>``.
        resume: go on in ``run_dir`` after the last epoch that was completed there.
        callbacks: further Keras callbacks.
        progress: called while the images are checked.
        verbose: see Keras' ``fit``.

    Returns:
        The figures of every epoch, those before an interruption included; also the learning
        rate.

    Raises:
        ValueError: arguments out of range, or ``monitor`` is nothing that is measured.
        mesonet.errors.DataError: the folder is not a data folder.
    """
    if epochs < 1:
        raise ArgumentError(f"epochs must be at least 1, not {epochs}")
    try:
        keras.losses.get(loss)
    except ValueError:
        raise ArgumentError(f"Keras has no loss {loss!r}") from None
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
        raise ArgumentError(
            "compile=False trains a compiled model further; this one is not compiled"
        )
    if validation is None:
        monitor = monitor.removeprefix("val_")
    lowest = _is_lower_better(monitor, mode)

    run = Path(run_dir) if run_dir else Path("runs") / started
    if resume and not (run / HISTORY_FILE).is_file():
        raise InputError(run, "there is nothing to resume")
    if not resume and (run / HISTORY_FILE).exists():
        raise InputError(run, "this folder holds a run already; resume it or name another")
    run.mkdir(parents=True, exist_ok=True)
    best = None
    if checkpoint:
        best = (find_best_model(run) if resume else None) or run / f"model-{started}.keras"
    recorder = Recorder(run, best, info, monitor, lowest)
    if resume:
        model.optimizer.build(model.trainable_variables)
        model.load_weights(state_file(run, recorder.epochs))
    train.epoch = recorder.epochs

    used: list[keras.callbacks.Callback] = [LogLearningRate(), recorder]
    if model.optimizer.use_ema:
        used.insert(0, Averaging(resume))
    if tensorboard:
        used.append(keras.callbacks.TensorBoard(run / "tensorboard", write_graph=False))
    if stop_early:
        used.append(
            EarlyStopping(
                recorder.history.get(monitor, ()),
                monitor=monitor,
                mode="min" if lowest else "max",
                patience=patience,
            )
        )
    history = keras.callbacks.History()
    if recorder.epochs < epochs:
        history = _fit(model, train, validation, epochs, [*used, *callbacks], verbose)
    _warn_at_chance(recorder.history)
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


def _warn_at_chance(history: Mapping[str, Sequence[float]]) -> None:
    best = max(history.get("val_auc", ()), default=1.0)
    if best < _CHANCE:
        warnings.warn(
            f"on the validation images the network is no better than chance (ROC AUC {best:.2f} at "
            "best); try more epochs, another learning rate, or a backbone with ImageNet weights, "
            "and look at the data with 'mesonet audit'",
            UserWarning,
            stacklevel=3,
        )


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
