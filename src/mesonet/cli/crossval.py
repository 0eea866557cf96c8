"""``mesonet crossval``: heads on features, judged by groups they have not seen."""

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesonet.cli.options import Groups, Seed

if TYPE_CHECKING:
    from mesonet.transfer.store import FeatureDataset

FIGURES = ("accuracy", "auc", "f1")


def run(
    stores: Annotated[
        list[Path],
        typer.Argument(
            metavar="STORE...",
            help="Feature stores of the same images, or one folder with two class folders.",
        ),
    ],
    head: Annotated[
        list[str] | None,
        typer.Option(
            "--head",
            help="logistic (the default), mlp, notebook or notebook-sigmoid; "
            "several can be named, one --head each.",
        ),
    ] = None,
    search: Annotated[
        bool, typer.Option("--search", help="Let inner folds choose the regularisation, too.")
    ] = False,
    folds: Annotated[int, typer.Option(min=2, help="Parts that are held out in turn.")] = 5,
    inner_folds: Annotated[
        int, typer.Option(min=2, help="Parts of the others, to choose head and threshold by.")
    ] = 4,
    repeats: Annotated[int, typer.Option(min=1, help="Divide all images this often.")] = 1,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for figures, pictures and the detector."),
    ] = None,
    groups: Groups = None,
    seed: Seed = 0,
) -> None:
    """Cross-validate heads, grouped and nested, and keep the best as a detector.

    With several heads, stores or factors, the inner folds choose and the outer folds judge.
    --output gets crossval.json, pictures, and detector.keras, the choice fitted to all images.
    """
    from mesonet.cli.progress import progress_bar
    from mesonet.datasets.class_folders import warn_of_frames
    from mesonet.transfer.crossval import (
        Candidate,
        cross_validate,
        fit_on_everything,
        save_detector,
    )
    from mesonet.transfer.results import describe_choice, summarise, write_results
    from mesonet.transfer.search import find_heads

    heads = find_heads(head or ["logistic"], search=search)
    datasets = [_open(path, output, groups, seed) for path in stores]
    candidates = [Candidate(dataset, one) for dataset in datasets for one in heads]
    dataset = datasets[0]
    if dataset.groups is None:
        warn_of_frames(map(PurePath, dataset.names))
    with progress_bar() as bar:
        judging = bar.add_task("cross-validating", total=None)
        result = cross_validate(
            candidates,
            folds=folds,
            inner_folds=inner_folds,
            repeats=repeats,
            seed=seed,
            progress=lambda done, total: bar.update(judging, completed=done, total=total),
        )
    summary = summarise(result, candidates)
    _print_tables(summary)
    if not output:
        return
    output.mkdir(parents=True, exist_ok=True)
    with progress_bar() as bar:
        fitting = bar.add_task("fitting the detector", total=None)
        choice, fitted = fit_on_everything(
            candidates,
            folds=folds,
            seed=seed,
            progress=lambda done, total: bar.update(fitting, completed=done, total=total),
        )
    detector = output / "detector.keras"
    save_detector(choice, fitted, detector)
    summary["detector"] = describe_choice(choice, candidates)
    write_results(output, summary, result)
    print(f"detector: {detector}, threshold {choice.threshold:.3f}\nfigures: {output}")


def _open(path: Path, output: Path | None, groups: str | None, seed: int) -> "FeatureDataset":
    from mesonet.transfer.store import INDEX_FILE, FeatureDataset

    if (path / INDEX_FILE).is_file() or not path.is_dir():
        if groups:
            raise typer.BadParameter("--groups is for a data folder; a store has its own groups")
        return FeatureDataset(path)
    if output is None:
        raise typer.BadParameter(f"{path} is no feature store; --output says where to make one")
    from mesonet.cli.transfer_steps import extract

    return extract(path, output / "store", groups=groups, seed=seed)


def _print_tables(summary: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    table = Table(
        "held out", "images", "chosen", "accuracy", "ROC AUC", "F1", box=None, pad_edge=False
    )
    for fold in summary["folds"]:
        table.add_row(
            f"{fold['repeat'] + 1}.{fold['fold'] + 1}",
            str(fold["count"]),
            _describe(summary["candidates"][fold["chosen"]]),
            *(_figure(fold[name]) for name in FIGURES),
        )
    table.add_row("mean", "", "", *(_figure(summary["mean"].get(name)) for name in FIGURES))
    console.print(table)
    pooled = summary["image"]
    console.print("\nall held-out images together, 95 % intervals over groups", style="bold")
    for name, title in zip(FIGURES, ("accuracy", "ROC AUC", "F1"), strict=True):
        low, high = pooled["intervals"][name]
        console.print(f"{title:<9} {pooled[name]:.4f}  ({low:.4f} to {high:.4f})")
    if "group" in summary:
        level = summary["group"]
        console.print(f"by group  accuracy {level['accuracy']:.4f}, ROC AUC {level['auc']:.4f}")
    if "views" in summary:
        level = summary["views"]
        console.print(
            f"mean over views  accuracy {level['accuracy']:.4f}, ROC AUC {level['auc']:.4f}"
        )


def _describe(candidate: dict[str, Any]) -> str:
    factors = [f"{name} {candidate[name]:g}" for name in ("l1", "l2") if name in candidate]
    return ", ".join(
        [candidate["head"], *factors, f"{candidate['size']} px {candidate['pooling']}"]
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
