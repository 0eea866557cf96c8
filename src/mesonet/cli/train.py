"""``mesonet train``: train a detector on labelled folders."""

import json
import shlex
import sys
import time
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesonet.cli.options import Groups, Seed

if TYPE_CHECKING:
    from mesonet.training.settings import TrainingSettings

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
    use_default_augmentation: Annotated[
        bool,
        typer.Option(
            " /--no-def-aug", " /-nda", help="No default augmentation.", show_default=False
        ),
    ] = True,
    model: Annotated[
        Path | None, typer.Option("--model", help="Train this model file further.")
    ] = None,
    compile: Annotated[  # noqa: A002 - the setting's name
        bool,
        typer.Option(
            " /--no-compile",
            " /-nc",
            help="Keep the optimizer state of --model.",
            show_default=False,
        ),
    ] = True,
    blending: Annotated[
        float,
        typer.Option(
            "--blend", min=0, max=1, help="Forgeries blended from real images, for each of them."
        ),
    ] = 0,
    weight_averaging: Annotated[
        float | None,
        typer.Option(
            "--average", min=0, max=1, help="Momentum of a moving average of the weights, as .99."
        ),
    ] = None,
    schedule: Annotated[
        Schedule, typer.Option(help="How the learning rate decays.")
    ] = Schedule.STEPS,
    loss: Annotated[str, typer.Option("--loss", "-lo", help="A Keras loss.")] = (
        "binary_crossentropy"
    ),
    lr: Annotated[float, typer.Option("--learning-rate", "-lr")] = 1e-3,
    lr_decay: Annotated[
        bool,
        typer.Option(
            " /--no-decay", " /-nld", help="Keep the learning rate constant.", show_default=False
        ),
    ] = True,
    decay_rate: Annotated[float, typer.Option("--decay-rate", "-dr")] = 0.1,
    decay_limit: Annotated[float, typer.Option("--decay-limit", "-dl")] = 1e-6,
    stop_early: Annotated[
        bool,
        typer.Option(
            " /--no-stop-early", " /-nse", help="Train for all epochs.", show_default=False
        ),
    ] = True,
    monitor: Annotated[
        str, typer.Option("--monitor", "-m", help="What the best model is best in.")
    ] = "val_accuracy",
    mode: Annotated[str, typer.Option(help="Whether more or less is better: max, min or auto.")] = (
        "max"
    ),
    patience: Annotated[
        int, typer.Option("--patience", "-pa", min=0, help="Epochs without improvement to stop.")
    ] = 20,
    checkpoint: Annotated[
        bool,
        typer.Option(
            " /--no-checkpoint", " /-ncp", help="Do not save the best model.", show_default=False
        ),
    ] = True,
    tensorboard: Annotated[
        bool,
        typer.Option(
            " /--no-tensorboard", " /-ntb", help="No TensorBoard events.", show_default=False
        ),
    ] = True,
    loss_curve: Annotated[
        bool, typer.Option(" /--no-plot", " /-np", help="No loss curve.", show_default=False)
    ] = True,
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
    from mesonet.images.blending import Blending
    from mesonet.training.settings import TrainingSettings

    if not compile and not model:
        raise typer.BadParameter("--no-compile keeps the optimizer state of --model; give one")
    if (data_dir is None) == (resume is None):
        raise typer.BadParameter("give either DATA_DIR or --resume RUN")
    if resume:
        _train(resume, resume=True, **_read_settings(resume))
        return
    given = context.params | {"blending": Blending(blending) if blending else None}
    names = {field.name for field in fields(TrainingSettings)} & given.keys()
    _train(
        output or Path("runs") / time.strftime("%Y%m%d-%H%M%S"),
        data_dir=str(data_dir),
        architecture=architecture,
        weights=weights,
        freeze_until=freeze_until,
        model=str(model) if model else None,
        training=TrainingSettings(**{name: given[name] for name in names}),
    )


def _read_settings(run: Path) -> dict[str, Any]:
    from mesonet.errors import InputError
    from mesonet.training.settings import TrainingSettings

    path = run / SETTINGS_FILE
    if not path.is_file():
        raise typer.BadParameter(f"{run} is no run folder: it has no {SETTINGS_FILE}")
    try:
        settings: dict[str, Any] = json.loads(path.read_text())
        return settings | {"training": TrainingSettings.from_dict(settings["training"])}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(path, "does not hold the settings of a run") from error


def _train(
    run: Path,
    *,
    data_dir: str,
    architecture: str,
    weights: str | None,
    freeze_until: str | None,
    model: str | None,
    training: "TrainingSettings",
    resume: bool = False,
) -> None:
    from mesonet.architectures import create_model, get_architecture
    from mesonet.backend import keras
    from mesonet.cli.training_progress import TrainingProgress, checking
    from mesonet.errors import ArgumentError, InputError
    from mesonet.files import write_text
    from mesonet.model_file import load_model
    from mesonet.training.callbacks import find_best_model
    from mesonet.training.fine_tuning import freeze
    from mesonet.training.training import train

    keras.utils.set_random_seed(training.seed)
    info = None
    if model:
        network, info = load_model(model, compile=not training.compile)
    else:
        options: dict[str, Any] = {"weights": weights} if weights else {}
        if options and get_architecture(architecture).features is None:
            raise ArgumentError(f"--weights starts a backbone; {architecture} is none")
        network = create_model(architecture, **options)
    if freeze_until:
        freeze(network, freeze_until)
    if not resume:
        if (run / SETTINGS_FILE).exists():
            raise InputError(run, "this folder holds a run already; use --resume or another")
        run.mkdir(parents=True, exist_ok=True)
        settings = {
            "data_dir": data_dir,
            "architecture": architecture,
            "weights": weights,
            "freeze_until": freeze_until,
            "model": model,
            "training": training.to_dict(),
        }
        write_text(run / SETTINGS_FILE, json.dumps(settings, indent=1))
    try:
        with checking() as progress:
            train(
                network,
                data_dir,
                training,
                info=info,
                run_dir=run,
                resume=resume,
                progress=progress,
                callbacks=[TrainingProgress(training.epochs)],
                verbose=0,
            )
    except (KeyboardInterrupt, SystemExit):
        _say_how_to_resume(run)
        raise
    best = find_best_model(run)
    print(f"run folder: {run}" + (f"\nbest model: {best}" if best else ""))


def _say_how_to_resume(run: Path) -> None:
    from mesonet.training.callbacks import HISTORY_FILE

    if (run / HISTORY_FILE).is_file():
        command = shlex.join(["mesonet", "train", "--resume", str(run)])
        text = f"{run} holds the epochs that were completed; go on with: {command}"
    else:
        text = f"no epoch was completed; {run} can be deleted"
    print(f"mesonet: {text}", file=sys.stderr)
