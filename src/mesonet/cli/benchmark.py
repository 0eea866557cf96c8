"""``mesonet benchmark``: models against data sets, as a page and as JSON."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesonet.errors import ArgumentError

if TYPE_CHECKING:
    from mesonet.evaluation.benchmark.models import ComparedModel, DataSet, Watch


def run(
    data: Annotated[
        list[str],
        typer.Option(
            "--data",
            "-d",
            metavar="NAME=DIR[:GROUPS]",
            help="A folder with two class folders, scored whole. GROUPS as for 'mesonet evaluate': "
            "video, pair or a CSV file. Can be repeated.",
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="[NAME=]MODEL",
            help="A released model or a model file. Can be repeated.",
        ),
    ] = None,
    scores: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME@DATA=FILE",
            help="Stored scores of a data set, such as out-of-fold ones: a CSV file with the "
            "columns file (relative to the folder), fake_probability and threshold.",
        ),
    ] = None,
    trained_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL=NAME[,NAME]",
            help="The data sets a model was trained on; others count as unseen.",
        ),
    ] = None,
    robustness: Annotated[
        int,
        typer.Option(
            min=0, help="Score so many images of each set also compressed, resized, blurred, ..."
        ),
    ] = 0,
    explain: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="COUNT",
            help="Instead, examine explanations on so many forgeries of each kind and set.",
        ),
    ] = 0,
    slow: Annotated[
        bool, typer.Option("--slow", help="With --explain: also the methods that take long.")
    ] = False,
    part: Annotated[
        str | None,
        typer.Option(
            metavar="FILE:PART",
            help="Only images that a table (columns file, which begins with the set's NAME, and "
            "part) gives to a part, such as the validation part of a training.",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The page; a .json file appears beside it.")
    ] = Path("benchmark.html"),
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder of known predictions; by default MESONET_CACHE/predictions."),
    ] = None,
) -> None:
    """Compare models on labelled data sets: figures with intervals, curves, worst groups.

    Data that a model was trained on and data that it never saw are kept in separate tables; a
    model whose file says that it was trained on the images here is named in a warning.
    Predictions are kept, so an interrupted benchmark goes on where it was.
    """
    import json
    import shlex
    import sys

    from mesonet.cli.output import check_output, open_output, print_left_out
    from mesonet.cli.progress import progress_bar
    from mesonet.evaluation.benchmark.prediction_cache import default_cache
    from mesonet.evaluation.benchmark.report import render
    from mesonet.evaluation.benchmark.run import run_benchmark

    if output.suffix == ".json":
        raise ArgumentError(f"{output}: name the page, such as {output.with_suffix('.html')}")
    for path in (output, output.with_suffix(".json")):
        check_output(path)
    data_sets = [_data_set(text, part) for text in data]
    if explain:
        _examine(model or [], data_sets, explain, output, slow=slow)
        return
    compared = _compared(model or [], scores or [], trained_on or [], data_sets)
    with progress_bar() as bar:
        result = run_benchmark(
            compared,
            data_sets,
            cache=cache or default_cache(),
            watch=_watch(bar),
            robustness=robustness,
        )
        result["command"] = shlex.join(["mesonet", *sys.argv[1:]])
    for path, text in (
        (output.with_suffix(".json"), json.dumps(result, indent=1)),
        (output, render(result)),
    ):
        with open_output(path) as stream:
            stream.write(text + "\n")
    if robustness:
        _keep_robustness(result, compared, output)
    for entry in result["data"]:
        for image in entry["unreadable"]:
            print_left_out(f"{entry['name']}: {image['file']}: {image['error']}")
    _print_tables(result["results"])
    print(f"wrote {output} and {output.with_suffix('.json')}")
    if any(entry["unreadable"] for entry in result["data"]):
        raise typer.Exit(1)


def _keep_robustness(result: dict[str, Any], models: list["ComparedModel"], output: Path) -> None:
    """Write a record of each model beside the page."""
    import json

    from mesonet.cli.output import open_output
    from mesonet.evaluation.benchmark.models import Model

    for model in models:
        if not isinstance(model, Model):
            continue
        record = {
            "model": model.name,
            "model_sha256": model.sha256,
            "created": result["created"],
            "command": result["command"],
            "robustness": [
                {name: value for name, value in entry.items() if name != "model"}
                for entry in result["robustness"]
                if entry["model"] == model.name
            ],
        }
        name = f"{model.detector.scored_path.stem}.robustness.json"
        with open_output(output.with_name(name)) as stream:
            stream.write(json.dumps(record) + "\n")


def _watch(bar: Any) -> "Watch":
    tasks: dict[str, Any] = {}

    def watch(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=total)
        bar.update(tasks[what], completed=done, visible=done < total)

    return watch


def _named(text: str, option: str, form: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not name or not value:
        raise ArgumentError(f"{option} takes {form}, not {text!r}")
    return name, value


def _examine(
    models: list[str], data_sets: list["DataSet"], count: int, output: Path, *, slow: bool
) -> None:
    """Examine explanations; a record of each model appears beside the page.

    An interrupted exam goes on where it was, from what it kept there.
    """
    import json
    import shlex
    import sys

    from mesonet.cli.output import open_output
    from mesonet.cli.progress import progress_bar
    from mesonet.detector import Detector
    from mesonet.evaluation.explanations import run_exam
    from mesonet.evaluation.explanations_report import render_exams

    exams = []
    with progress_bar() as bar:
        for source in models or [Detector.default]:
            detector = Detector.load(source)
            record = output.with_name(f"{detector.scored_path.stem}.exam.json")
            kept = record.with_suffix(".partial")
            exam = run_exam(detector, data_sets, count, slow=slow, watch=_watch(bar), kept=kept)
            exam["command"] = shlex.join(["mesonet", *sys.argv[1:]])
            exams.append(exam)
            with open_output(record) as stream:
                stream.write(json.dumps(exam, indent=1) + "\n")
            kept.unlink(missing_ok=True)
    text = render_exams(exams)
    with open_output(output) as stream:
        stream.write(text)
    print(text)


def _data_set(text: str, part: str | None) -> "DataSet":
    from mesonet.evaluation.benchmark.models import DataSet

    name, source = _named(text, "--data", "NAME=DIR[:GROUPS]")
    folder, colon, grouping = source.rpartition(":")
    if not colon or Path(source).is_dir():
        folder, grouping = source, ""
    data = DataSet.read(name, folder, grouping or None)
    if part is None:
        return data
    table, colon, wanted = part.rpartition(":")
    if not colon:
        raise ArgumentError(f"--part takes FILE:PART, not {part!r}")
    return data.part(Path(table), wanted)


def _compared(
    models: list[str], scores: list[str], trained_on: list[str], data_sets: list["DataSet"]
) -> list["ComparedModel"]:
    import sys

    from mesonet.detector import Detector
    from mesonet.evaluation.benchmark.models import ComparedModel, Model, Stored

    known = [data.name for data in data_sets]
    _check_different(known, "--data", "NAME=DIR")
    stored: dict[str, dict[str, str]] = {}
    for text in scores:
        title, file = _named(text, "--scores", "NAME@DATA=FILE")
        name, _, data = title.rpartition("@")
        if not name or data not in known:
            raise ArgumentError(f"--scores takes NAME@DATA=FILE with DATA of --data, not {text!r}")
        if data in stored.setdefault(name, {}):
            raise ArgumentError(f"--scores names {name}@{data} twice")
        stored[name][data] = file
    declared: dict[str, frozenset[str]] = {}
    for text in trained_on:
        name, value = _named(text, "--trained-on", "MODEL=NAME[,NAME]")
        sets = frozenset(part.strip() for part in value.split(","))
        declared[name] = declared.get(name, frozenset()) | sets
    compared: list[ComparedModel] = []
    for text in models:
        name, equals, source = text.partition("=")
        if not equals or Path(text).exists():
            name, source = "", text
        detector = Detector.load(source)
        name = name or detector.name
        compared.append(
            Model(name=name, source=source, detector=detector, trained_on=declared.get(name))
        )
    compared += [
        Stored(name=name, files=files, trained_on=declared.get(name))
        for name, files in stored.items()
    ]
    if not compared:
        raise ArgumentError("a benchmark needs a --model or --scores")
    names = [model.name for model in compared]
    _check_different(names, "models", "NAME=MODEL")
    for name in declared:
        if name not in names:
            raise ArgumentError(
                f"--trained-on names {name!r}, but the models are {', '.join(names)}"
            )
        for data in sorted(declared[name].difference(known)):
            print(f"mesonet: {name} was trained on {data}, no --data here", file=sys.stderr)
    return compared


def _check_different(names: list[str], what: str, form: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ArgumentError(f"two {what} are called {name!r}; tell them apart with {form}")


def _print_tables(results: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, soft_wrap=True)
    for domain in dict.fromkeys(entry["domain"] for entry in results):
        console.print(domain, style="bold")
        table = Table(
            "data",
            "model",
            "level",
            "count",
            "ROC AUC",
            "balanced",
            "ECE",
            box=None,
            pad_edge=False,
        )
        for entry in results:
            for level in ("image", "group"):
                if entry["domain"] == domain and level in entry:
                    figures = entry[level]["figures"]
                    table.add_row(
                        entry["data"],
                        entry["model"],
                        level,
                        str(entry[level]["count"]),
                        *(
                            f"{figures[n]['value']:.4f}"
                            for n in ("auc", "balanced_accuracy", "ece")
                        ),
                    )
        console.print(table)
