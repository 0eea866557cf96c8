"""One self-contained HTML page from the content of a benchmark's JSON file."""

from collections.abc import Iterator, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from mesonet.evaluation.benchmark.plots import curve_plots, robustness_plots
from mesonet.evaluation.benchmark.tables import (
    FIGURES,
    Cell,
    Entry,
    Folded,
    Table,
    area_table,
    bin_table,
    difference,
    figure_table,
    loss_table,
    sweep_table,
)

_DOMAINS = {
    "unseen": (
        "Unseen data",
        "The models were not trained on these data sets. This is the better guess at what they "
        "do with pictures from elsewhere.",
    ),
    "in-domain": (
        "Data like the training data",
        "The models were trained on these data sets, or on a part of them. Where images, videos "
        "or people scored here were among those trained on, these figures are better than on new "
        "data. They say little about pictures from elsewhere, so they are never averaged with the "
        "table above.",
    ),
    "not declared": (
        "Training data not declared",
        "Nobody said what these models were trained on (option --trained-on). The figures may "
        "be those of images that a model has learnt by heart.",
    ),
}

_COMPARED = ("auc", "balanced_accuracy", "tpr_at_fpr_5", "brier", "ece")
_LEVELS = {"image": "By image", "group": "By group, each group's images averaged"}


def render(benchmark: Entry) -> str:
    """Write the page.

    Args:
        benchmark: what `mesonet.evaluation.benchmark.run.run_benchmark` returned, and the
            ``command`` that asked for it.
    """
    templates = Environment(
        loader=PackageLoader("mesonet.evaluation.benchmark"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    models = [model["name"] for model in benchmark["models"]]
    results, swept = benchmark["results"], benchmark["robustness"]
    return templates.get_template("benchmark.html").render(
        benchmark=benchmark,
        domains=list(_domains(results)),
        differences=list(_differences(benchmark)),
        curves=[
            (
                name,
                curve_plots(entries, models),
                Folded("Images in each bin of the reliability plot", bin_table(entries)),
            )
            for name, entries in _by_data(results)
        ],
        worst_groups=list(_worst_groups(results)),
        sweeps=[
            (_DOMAINS[domain][0], loss_table(entries), area_table(entries))
            for domain in _DOMAINS
            if (entries := [entry for entry in swept if entry["domain"] == domain])
        ],
        levels=[
            (name, robustness_plots(entries, models), [sweep_table(entry) for entry in entries])
            for name, entries in _by_data(swept)
        ],
        meanings=_meanings(results),
    )


def _domains(results: Sequence[Entry]) -> Iterator[Entry]:
    for domain, (title, meaning) in _DOMAINS.items():
        chosen = [entry for entry in results if entry["domain"] == domain]
        if chosen:
            tables = [
                (heading, figure_table([entry for entry in chosen if level in entry], level))
                for level, heading in _LEVELS.items()
                if any(level in entry for entry in chosen)
            ]
            yield {"title": title, "meaning": meaning, "tables": tables}


def _differences(benchmark: Entry) -> Iterator[Folded]:
    domains = {(e["data"], e["model"]): e["domain"] for e in benchmark["results"]}
    head = ["first", "second", *(FIGURES[name][0] for name in _COMPARED)]
    for data in benchmark["data"]:
        pairs = [pair for pair in benchmark["differences"] if pair["data"] == data["name"]]
        for level, heading in _LEVELS.items():
            rows = [
                [
                    *(
                        Cell(pair[side], domains[pair["data"], pair[side]])
                        for side in ("first", "second")
                    ),
                    *(difference(pair[level][name]) for name in _COMPARED),
                ]
                for pair in pairs
                if level in pair
            ]
            if rows:
                yield Folded(f"{data['name']}: {heading.lower()}", Table(head, rows, 2))


def _worst_groups(results: Sequence[Entry]) -> Iterator[Folded]:
    head = ["group", "truth", "images", "called right", "mean fake probability"]
    for entry in results:
        rows = [
            [
                group["group"],
                group["truth"],
                str(group["images"]),
                f"{group['accuracy']:.3f}",
                f"{group['mean_probability']:.3f}",
            ]
            for group in entry.get("worst_groups", ())
        ]
        if rows:
            name = f"{entry['data']}, {entry['model']} ({entry['domain']})"
            yield Folded(f"{name}: worst {rows[0][3]}", Table(head, rows, 2))


def _meanings(results: Sequence[Entry]) -> list[tuple[str, str]]:
    shown = {
        name
        for entry in results
        for level in _LEVELS
        for name in entry.get(level, {"figures": ()})["figures"]
    }
    return [meaning for name, meaning in FIGURES.items() if name in shown]


def _by_data(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    grouped: dict[str, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry["data"], []).append(entry)
    return list(grouped.items())
