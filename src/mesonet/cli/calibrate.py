"""``mesonet calibrate``: probabilities that come true, and verdicts that may be left open."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesonet.cli.options import Architecture, BatchSize, Groups

if TYPE_CHECKING:
    from mesonet.evaluation.calibration import OutOfFold
    from mesonet.evaluation.scores import Scores
    from mesonet.model_info import ModelInfo


def run(
    model: Annotated[str, typer.Argument(help="A released model or a model file.")],
    data_dir: Annotated[
        str,
        typer.Argument(help="Two class folders of images that the model was not trained on."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="New model file, .keras, .h5 or .hdf5.")
    ],
    architecture: Architecture = None,
    groups: Groups = None,
    error_rate: Annotated[
        float,
        typer.Option(
            min=0,
            max=0.5,
            help="Share of the real and of the deepfake verdicts that may be wrong; images that "
            "cannot be decided so well are uncertain.",
        ),
    ] = 0.05,
    batch_size: BatchSize = 8,
) -> None:
    """Write a model with calibrated probabilities, a band of uncertain ones, and words.

    Calibration, threshold and band are fitted on all images. The figures come from fits on
    other groups than those they are measured on. From 200 real images on, the words of `mesonet
    check` get their limits and rates; with --groups those for clips, too, measured on groups.
    A model at chance is refused.
    """
    import warnings
    from dataclasses import replace

    from mesonet.cli.output import check_output, print_left_out
    from mesonet.cli.progress import progress_bar
    from mesonet.datasets.class_folders import ClassFolders, warn_of_frames
    from mesonet.datasets.groups import group_keys
    from mesonet.detector import Detector
    from mesonet.errors import InputError
    from mesonet.evaluation.calibration import (
        calibrate,
        check_better_than_chance,
        cross_calibrate,
    )
    from mesonet.evaluation.scores import score_folder, warn_of_training_images
    from mesonet.evaluation.words import measure_words

    if output.suffix.lower() not in {".keras", ".h5", ".hdf5"}:
        raise InputError(output, "the ending must be .keras, .h5 or .hdf5")
    check_output(output)
    data = ClassFolders.read(data_dir)
    if groups:
        group_keys(data.names, groups)  # names a wrong grouping before anything is scored
    detector = Detector.load(model, architecture=architecture)
    detector.info = replace(detector.info, calibration=None, band=None, error_rate=None)
    with progress_bar() as bar:
        task = bar.add_task("scoring", total=len(data))
        raw = score_folder(
            detector,
            data,
            batch_size=batch_size,
            progress=lambda done, _: bar.update(task, completed=done),
        )
    for failure in raw.unreadable:
        print_left_out(f"{failure.path}: {failure.error}")
    if groups:
        keys = group_keys(raw.names, groups)
    else:
        warn_of_frames(raw.names)
        keys = [str(name) for name in raw.names]
    check_better_than_chance(raw.is_fake, raw.fake_probability)
    out_of_fold = cross_calibrate(raw.is_fake, raw.fake_probability, keys, error_rate)
    info = calibrate(detector.info, raw.is_fake, raw.fake_probability, error_rate)
    clips = group_keys(raw.names, "video") if groups == "pair" else keys if groups else None
    info = measure_words(info, raw.is_fake, raw.fake_probability, keys, clips)
    warn_of_training_images(detector, data)

    from mesonet.model_file import save_model

    save_model(detector.network, output, info)
    _print_figures(raw, out_of_fold, info)
    for doubt in out_of_fold.doubts(error_rate):
        warnings.warn(doubt, UserWarning, stacklevel=2)
    print(f"model: {output}")
    if raw.unreadable:
        raise typer.Exit(1)


def _print_figures(raw: "Scores", out_of_fold: "OutOfFold", info: "ModelInfo") -> None:
    from rich.console import Console
    from rich.table import Table

    from mesonet.evaluation.figures import Sample, measure_figures

    before = measure_figures(Sample(raw.is_fake, raw.fake_probability, 0.5))
    after = measure_figures(
        Sample(raw.is_fake, out_of_fold.fake_probability, out_of_fold.threshold)
    )
    console = Console(highlight=False, soft_wrap=True)
    table = Table("", "before", "after", box=None, pad_edge=False)
    for name, key in (("expected calibration error", "ece"), ("Brier score", "brier")):
        table.add_row(name, f"{before[key][0]:.4f}", f"{after[key][0]:.4f}")
    console.print(table)
    if info.calibration and info.band:
        console.print(
            f"temperature {info.calibration.temperature:.3f}, bias {info.calibration.bias:+.3f}\n"
            f"threshold {info.threshold:.3f}, "
            f"uncertain from {info.band[0]:.3f} to {info.band[1]:.3f}"
        )
    console.print(
        f"left uncertain: {out_of_fold.uncertain.mean():.1%}, wrong among the real verdicts: "
        f"{_percent(out_of_fold.error_rate(False))}, among the deepfake verdicts: "
        f"{_percent(out_of_fold.error_rate(True))} (asked for: {info.error_rate:.1%} at most)"
    )
    for evidence in filter(None, (info.evidence, info.clip_evidence)):
        console.print(
            f"words for {evidence.unit}: uncertain from {evidence.uncertain:.3f}, some evidence "
            f"from {evidence.some:.3f}, strong evidence from {evidence.strong:.3f}, said of "
            f"{evidence.real_shares[3]:.1%} of {evidence.real:,} real and "
            f"{evidence.fake_shares[3]:.1%} of {evidence.fake:,} manipulated {evidence.unit}"
        )


def _percent(share: float | None) -> str:
    return "none given" if share is None else f"{share:.1%}"
