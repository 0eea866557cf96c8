"""``mesonet evaluate``: how right a detector is on labelled folders."""

from typing import TYPE_CHECKING, Annotated

import typer

from mesonet.cli.options import Architecture, BatchSize, Format, Groups, Model, Threshold

if TYPE_CHECKING:
    from mesonet.evaluation.metrics import Metrics


def run(
    data_dir: Annotated[
        str, typer.Argument(help="Folder with two class folders, such as real and df.")
    ],
    model: Model = None,
    architecture: Architecture = None,
    groups: Groups = None,
    threshold: Threshold = None,
    format: Annotated[Format, typer.Option(help="How the result is written.")] = Format.TABLE,  # noqa: A002
    batch_size: BatchSize = 8,
) -> None:
    """Measure accuracy and ROC AUC by image and, with --groups, by group.

    A model that was trained on these images is named in a warning, if it has kept a record.
    """
    import json

    from mesonet.cli.output import print_left_out
    from mesonet.cli.progress import progress_bar
    from mesonet.datasets.class_folders import ClassFolders
    from mesonet.datasets.groups import group_keys
    from mesonet.detector import DEEPFAKE, REAL, Detector
    from mesonet.evaluation.scores import score_folder, warn_of_training_images

    data = ClassFolders.read(data_dir)
    if groups:
        group_keys(data.names, groups)  # names a wrong grouping before anything is scored
    detector = Detector.load(model or Detector.default, architecture=architecture)
    overlap = warn_of_training_images(detector, data)
    limit = detector.info.threshold if threshold is None else threshold
    with progress_bar() as bar:
        task = bar.add_task("scoring", total=len(data))
        scores = score_folder(
            detector,
            data,
            batch_size=batch_size,
            progress=lambda done, _: bar.update(task, completed=done),
        )
    levels = {"image": scores.image_metrics(limit)}
    if groups:
        levels["group"] = scores.group_metrics(limit, groups)
    for failure in scores.unreadable:
        print_left_out(f"{failure.path}: {failure.error}")

    names = [REAL, DEEPFAKE]
    true = [names[int(fake)] for fake in scores.is_fake]
    called = [names[int(score >= limit)] for score in scores.fake_probability]
    if format is Format.JSON:
        from sklearn.metrics import classification_report

        result = {
            "data": str(data_dir),
            "model": detector.name,
            "threshold": limit,
            "share_trained_on": overlap and overlap.share,
            "unreadable": [failure.to_dict() for failure in scores.unreadable],
            "classification_report": classification_report(
                true, called, output_dict=True, zero_division=0
            ),
        }
        result |= {level: metrics.to_dict() for level, metrics in levels.items()}
        print(json.dumps(result, indent=1))
    else:
        _print_tables(levels, true, called, f"{detector.name} on {data_dir}, threshold {limit:.3g}")
    if scores.unreadable:
        raise typer.Exit(1)


def _print_tables(
    levels: dict[str, "Metrics"], true: list[str], called: list[str], title: str
) -> None:
    from rich.console import Console
    from rich.table import Table
    from sklearn.metrics import classification_report

    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(title, style="bold")
    table = Table("level", "count", "accuracy", "balanced", "ROC AUC", box=None, pad_edge=False)
    for level, metrics in levels.items():
        table.add_row(
            level,
            str(metrics.count),
            f"{metrics.accuracy:.4f}",
            f"{metrics.balanced_accuracy:.4f}",
            "-" if metrics.auc is None else f"{metrics.auc:.4f}",
        )
    console.print(table)
    for level, metrics in levels.items():
        (tn, fp), (fn, tp) = metrics.confusion
        console.print(f"\nconfusion by {level}", style="bold")
        table = Table("", "called real", "called deepfake", box=None, pad_edge=False)
        table.add_row("true real", str(tn), str(fp))
        table.add_row("true deepfake", str(fn), str(tp))
        console.print(table)
    console.print("\nclassification report by image", style="bold")
    console.print(classification_report(true, called, digits=4, zero_division=0))
