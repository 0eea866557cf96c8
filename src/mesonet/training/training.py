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
from mesonet.training.schedules import cosine_schedule, decay_schedule
from mesonet.training.settings import TrainingSettings
from mesonet.training_data import TrainingData
from mesonet.visualization import plot_loss_curve

_CHANCE = 0.55


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
    """Train with settings that are given one by one, as the specification has it.

    Each is explained in `mesonet.training.settings.TrainingSettings`, the rest in `train`.

    Returns:
        The figures of every epoch, see `train`.

    Raises:
        ValueError: arguments out of range, or ``monitor`` is nothing that is measured.
        mesonet.errors.DataError: the folder is not a data folder.
    """
    settings = TrainingSettings(
        validation_split=validation_split,
        batch_size=batch_size,
        use_default_augmentation=use_default_augmentation,
        augmentations=augmentations,
        epochs=epochs,
        compile=compile,
        lr=lr,
        loss=loss,
        lr_decay=lr_decay,
        decay_rate=decay_rate,
        decay_limit=decay_limit,
        checkpoint=checkpoint,
        stop_early=stop_early,
        monitor=monitor,
        mode=mode,
        patience=patience,
        tensorboard=tensorboard,
        loss_curve=loss_curve,
        blending=blending,
        weight_averaging=weight_averaging,
        schedule=schedule,
        gradient_norm=gradient_norm,
        groups=groups,
        seed=seed,
    )
    return train(
        model,
        train_data_dir,
        settings,
        info=info,
        run_dir=run_dir,
        resume=resume,
        callbacks=callbacks,
        progress=progress,
        verbose=verbose,
    )


def train(
    model: keras.Model,
    data_dir: str | os.PathLike[str],
    settings: TrainingSettings,
    *,
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
        data_dir: the data folder.
        settings: how it is trained.
        info: what the saved model is told about its images; by default the preprocessing of
            the architecture, in the input's size, and the names of the class folders. What it is
            trained on is added.
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
    try:
        keras.losses.get(settings.loss)
    except ValueError:
        raise ArgumentError(f"Keras has no loss {settings.loss!r}") from None
    started = time.strftime("%Y%m%d-%H%M%S")
    preprocessing = info.preprocessing if info else _usual_preprocessing(model)
    train, validation = get_train_data_generator(
        data_dir,
        settings.batch_size,
        settings.validation_split,
        settings.use_default_augmentation,
        settings.augmentations,
        blending=settings.blending,
        groups=settings.groups,
        seed=settings.seed,
        preprocessing=preprocessing,
        progress=progress,
    )
    info = info or ModelInfo(
        architecture=model.name,
        preprocessing=preprocessing,
        class_names=(train.data.class_names[0], train.data.class_names[1]),
    )
    record = TrainingData.of([train.data.root.resolve().name], train.data.paths)
    info = replace(
        info,
        calibration=None,
        band=None,
        error_rate=None,
        evidence=None,
        clip_evidence=None,
        kinds=(),
        training_data=record.and_before(info.training_data),
    )
    if settings.compile:
        _compile(model, train, settings)
    elif not model.compiled:
        raise ArgumentError(
            "compile=False trains a compiled model further; this one is not compiled"
        )
    monitor = settings.monitor
    if validation is None:
        monitor = monitor.removeprefix("val_")
    lowest = settings.mode == "min" or (settings.mode == "auto" and "loss" in monitor)

    run = Path(run_dir) if run_dir else Path("runs") / started
    if resume and not (run / HISTORY_FILE).is_file():
        raise InputError(run, "there is nothing to resume")
    if not resume and (run / HISTORY_FILE).exists():
        raise InputError(run, "this folder holds a run already; resume it or name another")
    run.mkdir(parents=True, exist_ok=True)
    best = None
    if settings.checkpoint:
        best = (find_best_model(run) if resume else None) or run / f"model-{started}.keras"
    recorder = Recorder(run, best, info, monitor, lowest)
    if resume:
        model.optimizer.build(model.trainable_variables)
        model.load_weights(state_file(run, recorder.epochs))
    train.epoch = recorder.epochs

    used: list[keras.callbacks.Callback] = [LogLearningRate(), recorder]
    if model.optimizer.use_ema:
        used.insert(0, Averaging(resume))
    if settings.tensorboard:
        used.append(keras.callbacks.TensorBoard(run / "tensorboard", write_graph=False))
    if settings.stop_early:
        used.append(
            EarlyStopping(
                recorder.history.get(monitor, ()),
                monitor=monitor,
                mode="min" if lowest else "max",
                patience=settings.patience,
            )
        )
    history = keras.callbacks.History()
    reason = _why_finished(recorder.history.get(monitor, ()), recorder.epochs, settings, lowest)
    if resume and reason:
        warnings.warn(f"{run}: this run is finished, {reason}", UserWarning, stacklevel=2)
    if not reason:
        history = _fit(model, train, validation, settings.epochs, [*used, *callbacks], verbose)
    _warn_at_chance(recorder.history)
    history.history = recorder.history
    history.epoch = list(range(recorder.epochs))
    save_model_history(history, run / "history.pkl")
    if settings.loss_curve:
        plot_loss_curve(history).savefig(run / "loss_curve.png", dpi=120)
    return history


def _why_finished(
    monitored: Sequence[float], epochs: int, settings: TrainingSettings, lowest: bool
) -> str:
    """Why there is nothing left to train after so many epochs; empty where there is."""
    if epochs >= settings.epochs:
        return f"all {settings.epochs} epochs are done"
    if settings.stop_early and monitored:
        best = min(monitored) if lowest else max(monitored)
        if len(monitored) - 1 - list(monitored).index(best) >= max(settings.patience, 1):
            return f"it stopped early, after {epochs} of {settings.epochs} epochs"
    return ""


def _compile(model: keras.Model, train: ImageBatches, settings: TrainingSettings) -> None:
    rate: Any = settings.lr
    if settings.lr_decay and settings.schedule == "cosine":
        rate = cosine_schedule(settings.lr, len(train) * settings.epochs)
    elif settings.lr_decay:
        rate = decay_schedule(
            settings.lr,
            settings.decay_rate,
            settings.decay_limit,
            settings.epochs,
            train.samples,
            settings.batch_size,
        )
    averaging = settings.weight_averaging
    optimizer = keras.optimizers.Adam(
        rate,
        global_clipnorm=settings.gradient_norm,
        use_ema=averaging is not None,
        ema_momentum=averaging or 0.99,
    )
    metrics = ["accuracy", keras.metrics.AUC(name="auc")]
    model.compile(optimizer=optimizer, loss=settings.loss, metrics=metrics)


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
