"""``mesonet train``: train a detector on labelled folders."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from mesonet.cli.options import Groups, Seed

SETTINGS_FILE = "settings.json"


class Schedule(StrEnum):
    """How the learning rate decays."""

    STEPS = "steps"
    COSINE = "cosine"


def run(
    context: typer.Context,
    data_dir: Annotated[
        Path | None,
        typer.Argument(help="Folder with two class folders; not needed with --resume."),
    ] = None,
    architecture: Annotated[str, typer.Option(help="See 'mesonet models'.")] = "meso4",
    weights: Annotated[
        str | None,
        typer.Option(help="Start a backbone from 'imagenet' or a file of weights."),
    ] = None,
    freeze_until: Annotated[
        str | None,
        typer.Option(
            help="Fine-tune: keep the layers before the first one whose name begins so, such as "
            "blocks_5."
        ),
    ] = None,
    groups: Groups = None,
    validation_split: Annotated[
        float | None, typer.Option("--validation-split", "-s", help="Share to validate on, 0..1.")
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", "-e", min=1)] = 30,
    batch_size: Annotated[int, typer.Option("--batch-size", "-bs", min=1)] = 32,
    no_def_aug: Annotated[
        bool, typer.Option("--no-def-aug", "-nda", help="No default augmentation.")
    ] = False,
    model: Annotated[
        Path | None, typer.Option("--model", help="Train this model file further.")
    ] = None,
    no_compile: Annotated[
        bool,
        typer.Option("--no-compile", "-nc", help="Keep the optimizer state of --model."),
    ] = False,
    blend: Annotated[
        float,
        typer.Option(min=0, max=1, help="Forgeries blended from real images, for each of them."),
    ] = 0,
    average: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Momentum of a moving average of the weights, as .99."),
    ] = None,
    schedule: Annotated[
        Schedule, typer.Option(help="How the learning rate decays.")
    ] = Schedule.STEPS,
    loss: Annotated[str, typer.Option("--loss", "-lo", help="A Keras loss.")] = (
        "binary_crossentropy"
    ),
    learning_rate: Annotated[float, typer.Option("--learning-rate", "-lr")] = 1e-3,
    no_decay: Annotated[
        bool, typer.Option("--no-decay", "-nld", help="Keep the learning rate constant.")
    ] = False,
    decay_rate: Annotated[float, typer.Option("--decay-rate", "-dr")] = 0.1,
    decay_limit: Annotated[float, typer.Option("--decay-limit", "-dl")] = 1e-6,
    no_stop_early: Annotated[
        bool, typer.Option("--no-stop-early", "-nse", help="Train for all epochs.")
    ] = False,
    monitor: Annotated[
        str, typer.Option("--monitor", "-m", help="What the best model is best in.")
    ] = "val_accuracy",
    mode: Annotated[str, typer.Option(help="Whether more or less is better: max, min or auto.")] = (
        "max"
    ),
    patience: Annotated[
        int, typer.Option("--patience", "-pa", min=0, help="Epochs without improvement to stop.")
    ] = 20,
    no_checkpoint: Annotated[
        bool, typer.Option("--no-checkpoint", "-ncp", help="Do not save the best model.")
    ] = False,
    no_tensorboard: Annotated[
        bool, typer.Option("--no-tensorboard", "-ntb", help="No TensorBoard events.")
    ] = False,
    no_plot: Annotated[bool, typer.Option("--no-plot", "-np", help="No loss curve.")] = False,
    seed: Seed = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Run folder, by default under runs/.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with an interrupted run, with its settings.")
    ] = None,
) -> None:
    """Train a network into a run folder.

    The run folder holds the best model, the history, the loss curve, the settings and
    TensorBoard events, and can be resumed after an interruption.
    """
    if no_compile and not model:
        raise typer.BadParameter("--no-compile keeps the optimizer state of --model; give one")
    if (data_dir is None) == (resume is None):
        raise typer.BadParameter("give either DATA_DIR or --resume RUN")
    settings = {name: value for name, value in context.params.items() if name != "resume"}
    if resume:
        settings = _read_settings(resume)
    _train(settings, resume)


def _read_settings(run: Path) -> dict[str, Any]:
    path = run / SETTINGS_FILE
    if not path.is_file():
        raise typer.BadParameter(f"{run} is no run folder: it has no {SETTINGS_FILE}")
    settings: dict[str, Any] = json.loads(path.read_text())
    return settings


def _train(settings: dict[str, Any], resume: Path | None) -> None:
    import time

    from mesonet.architectures import create_model, get_architecture
    from mesonet.backend import keras
    from mesonet.cli.training_progress import TrainingProgress, checking
    from mesonet.errors import ArgumentError, InputError
    from mesonet.images.blending import Blending
    from mesonet.model_file import load_model
    from mesonet.training.callbacks import find_best_model
    from mesonet.training.fine_tuning import freeze
    from mesonet.training.training import train_model

    run = resume or settings["output"] or Path("runs") / time.strftime("%Y%m%d-%H%M%S")
    keras.utils.set_random_seed(settings["seed"])
    info = None
    if settings["model"]:
        model, info = load_model(settings["model"], compile=settings["no_compile"])
    else:
        options = {"weights": settings["weights"]} if settings["weights"] else {}
        if options and get_architecture(settings["architecture"]).features is None:
            raise ArgumentError(f"--weights starts a backbone; {settings['architecture']} is none")
        model = create_model(settings["architecture"], **options)
    if settings["freeze_until"]:
        freeze(model, settings["freeze_until"])
    if not resume:
        if (run / SETTINGS_FILE).exists():
            raise InputError(run, "this folder holds a run already; use --resume or another")
        run.mkdir(parents=True, exist_ok=True)
        plain = {k: str(v) if isinstance(v, Path) else v for k, v in settings.items()}
        (run / SETTINGS_FILE).write_text(json.dumps(plain, indent=1))
    with checking() as progress:
        train_model(
            model,
            settings["data_dir"],
            settings["validation_split"],
            settings["batch_size"],
            not settings["no_def_aug"],
            epochs=settings["epochs"],
            compile=not settings["no_compile"],
            lr=settings["learning_rate"],
            loss=settings["loss"],
            lr_decay=not settings["no_decay"],
            decay_rate=settings["decay_rate"],
            decay_limit=settings["decay_limit"],
            checkpoint=not settings["no_checkpoint"],
            stop_early=not settings["no_stop_early"],
            monitor=settings["monitor"],
            mode=settings["mode"],
            patience=settings["patience"],
            tensorboard=not settings["no_tensorboard"],
            loss_curve=not settings["no_plot"],
            blending=Blending(settings["blend"]) if settings["blend"] else None,
            weight_averaging=settings["average"],
            schedule=settings["schedule"],
            groups=settings["groups"],
            seed=settings["seed"],
            info=info,
            run_dir=run,
            resume=resume is not None,
            progress=progress,
            callbacks=[TrainingProgress(settings["epochs"])],
            verbose=0,
        )
    best = find_best_model(run)
    print(f"run folder: {run}" + (f"\nbest model: {best}" if best else ""))
