"""One self-contained HTML page from the content of a benchmark's JSON file."""

from collections.abc import Sequence
from html import escape

from mesonet.evaluation.benchmark.plots import curve_plots, robustness_plots
from mesonet.evaluation.benchmark.tables import (
    FIGURES,
    Entry,
    area_table,
    bin_table,
    difference,
    figure_table,
    loss_table,
    sweep_table,
    table,
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

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 86rem; padding: 0 1rem;
       color: #1d2433; background: #fafbfc }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.25rem; margin-top: 2.2rem }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem } p { max-width: 52rem } .note { color: #4a5468 }
.warning { color: #8a5a00; font-weight: 600 }
.wide { overflow-x: auto } table { border-collapse: collapse; background: #fff; font-size: .88rem }
th, td { border: 1px solid #dde2ea; padding: .3rem .55rem; text-align: right; vertical-align: top }
th { background: #f0f3f7; font-weight: 600 } .text { text-align: left }
small { display: block; color: #5d6778; white-space: nowrap } .clear { font-weight: 700 }
img { max-width: 100%; background: #fff; border: 1px solid #dde2ea }
pre { white-space: pre-wrap; background: #f0f3f7; padding: .6rem .8rem; border-radius: .4rem }
code { font-size: .8rem; overflow-wrap: anywhere } dt { font-weight: 600 }
dd { margin: 0 0 .4rem 1rem }
summary { cursor: pointer; margin: .4rem 0 }
"""

_COMPARED = ("auc", "balanced_accuracy", "tpr_at_fpr_5", "brier", "ece")
_LEVELS = {"image": "By image", "group": "By group, each group's images averaged"}


def render(benchmark: Entry) -> str:
    """Write the page.

    Args:
        benchmark: what `mesonet.evaluation.benchmark.run.run_benchmark` returned, and the
            ``command`` that asked for it.
    """
    models = [model["name"] for model in benchmark["models"]]
    sections = [
        _head(benchmark),
        *(_domain(benchmark["results"], domain) for domain in _DOMAINS),
        _differences(benchmark),
        _plots(benchmark["results"], models),
        _worst_groups(benchmark["results"]),
        _robustness(benchmark["robustness"], models),
        _meanings(benchmark),
        _unreadable(benchmark["data"]),
    ]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Benchmark of deepfake detectors</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>
{"".join(sections)}</body></html>
"""


def _head(benchmark: Entry) -> str:
    settings = benchmark["settings"]
    models = [
        [
            escape(model["name"]),
            escape(model.get("source") or "stored predictions"),
            _hashes(model),
            _trained_on(model["trained_on"]),
            f"{model['threshold']:.3f}" if "threshold" in model else "with each prediction",
            _band(model.get("band")),
        ]
        for model in benchmark["models"]
    ]
    data = [
        [
            escape(entry["name"]),
            escape(entry["folder"]) + _classes(entry.get("classes", {})),
            escape(entry["grouping"] or "none"),
            str(entry["images"]),
            str(entry["real"]),
            str(entry["deepfake"]),
            "-" if entry["groups"] is None else str(entry["groups"]),
            str(len(entry["unreadable"])),
        ]
        for entry in benchmark["data"]
    ]
    warnings = "".join(
        f'<p class="warning">{escape(entry["name"])}: the file names look like frames of videos, '
        "and nobody said which belong together. The intervals of this set are too narrow.</p>"
        for entry in benchmark["data"]
        if entry["lacks_groups"]
    )
    return f"""<h1>Benchmark of deepfake detectors</h1>
<p class="note">Made on {escape(benchmark["created"])} with mesonet {escape(benchmark["mesonet"])}
by the command</p><pre><code>{escape(benchmark["command"])}</code></pre>
<p>Every model gives an image a fake probability: 0 is surely real, 1 surely manipulated. From the
model's threshold on the image is called a deepfake. Below a figure stands its
{settings["confidence"]:.0%} interval, from {settings["bootstrap_rounds"]:,} draws of whole groups
(percentile bootstrap), or of single images where a set has no groups: with others of the same
kind the figure could as well have come out anywhere in there. No figure here is proof about a
single image.</p>
<h2>Models</h2>{
        table(
            ["model", "file", "SHA-256 begins", "trained on", "threshold", "uncertain"], models, 4
        )
    }
<h2>Data</h2>{
        table(
            ["data", "folder", "groups by", "images", "real", "deepfake", "groups", "not scored"],
            data,
            3,
        )
    }{warnings}"""


def _classes(folders: dict[str, str]) -> str:
    named = ", ".join(f"{kind}: {escape(name)}" for kind, name in folders.items())
    return f"<small>{named}</small>" if named else ""


def _trained_on(names: Sequence[str] | None) -> str:
    return "not declared" if names is None else escape(", ".join(names)) or "nothing scored here"


def _band(band: Sequence[float] | None) -> str:
    return "-" if band is None else f"{band[0]:.3f} to {band[1]:.3f}"


def _hashes(model: Entry) -> str:
    hashes = (
        {"": model["sha256"]}
        if "sha256" in model
        else {f"{name}: ": entry["sha256"] for name, entry in model["predictions"].items()}
    )
    return "<br>".join(
        f'{escape(name)}<code title="{digest}">{digest[:16]}</code>'
        for name, digest in hashes.items()
    )


def _domain(results: Sequence[Entry], domain: str) -> str:
    chosen = [entry for entry in results if entry["domain"] == domain]
    if not chosen:
        return ""
    title, meaning = _DOMAINS[domain]
    return f"<h2>{title}</h2><p>{meaning}</p>" + "".join(
        f"<h3>{heading}</h3>" + figure_table([e for e in chosen if level in e], level)
        for level, heading in _LEVELS.items()
        if any(level in entry for entry in chosen)
    )


def _differences(benchmark: Entry) -> str:
    if not benchmark["differences"]:
        return ""
    domains = {(e["data"], e["model"]): e["domain"] for e in benchmark["results"]}
    parts = []
    for data in benchmark["data"]:
        pairs = [pair for pair in benchmark["differences"] if pair["data"] == data["name"]]
        for level, heading in _LEVELS.items():
            rows = [
                [
                    *(
                        f"{escape(pair[side])}<small>{domains[pair['data'], pair[side]]}</small>"
                        for side in ("first", "second")
                    ),
                    *(difference(pair[level][name]) for name in _COMPARED),
                ]
                for pair in pairs
                if level in pair
            ]
            if rows:
                names = [FIGURES[name][0] for name in _COMPARED]
                parts.append(
                    f"<details><summary>{escape(data['name'])}: {heading.lower()}</summary>"
                    f"{table(['first', 'second', *names], rows, 2)}</details>"
                )
    return (
        "<h2>Differences between models</h2><p>The first model's figure less the second's, on the "
        "same images and the same draws of groups. Bold: the interval leaves out 0, so the "
        "difference is unlikely to be chance. With many pairs some will be bold by chance.</p>"
        + "".join(parts)
    )


def _plots(results: Sequence[Entry], models: Sequence[str]) -> str:
    parts = [
        f'<h3>{escape(name)}</h3><img alt="ROC, reliability and risk-coverage curves of all '
        f'models on {escape(name)}" src="{curve_plots(entries, models)}">'
        "<details><summary>Images in each bin of the reliability plot</summary>"
        f"{bin_table(entries)}</details>"
        for name, entries in _by_data(results)
    ]
    return (
        "<h2>Curves, by image</h2><p>ROC: the further up and to the left, the better; the grey "
        "line is guessing. Reliability: on the grey line a probability of 0.7 comes true seven "
        "times in ten. Risk and coverage: how many verdicts are wrong when only the surest are "
        "given. Full lines: data like the training data; dashed: unseen; dotted: not declared.</p>"
        + "".join(parts)
    )


def _worst_groups(results: Sequence[Entry]) -> str:
    parts = []
    for entry in results:
        rows = [
            [
                escape(group["group"]),
                group["truth"],
                str(group["images"]),
                f"{group['accuracy']:.3f}",
                f"{group['mean_probability']:.3f}",
            ]
            for group in entry.get("worst_groups", ())
        ]
        if rows:
            head = ["group", "truth", "images", "called right", "mean fake probability"]
            parts.append(
                f"<details><summary>{escape(entry['data'])}, {escape(entry['model'])} "
                f"({entry['domain']}): worst {rows[0][3]}</summary>"
                f"{table(head, rows, 2)}</details>"
            )
    return bool(parts) * (
        "<h2>Worst groups</h2><p>The groups with the smallest share of images called right. A "
        "group with real images and deepfakes counts as two.</p>" + "".join(parts)
    )


def _robustness(swept: Sequence[Entry], models: Sequence[str]) -> str:
    if not swept:
        return ""
    parts = [
        "<h2>Robustness</h2><p>The same images, changed before the model resizes them: JPEG "
        "compression, Gaussian blur, halved or quartered and back with four filters, noise, "
        "brightness, and passing on like a screenshot (JPEG 80, three quarters of the size, JPEG "
        "70). The images are a part of the set, taken from as many groups as possible, half of "
        "each class. AUC lost: AUC of the untouched images less that of the changed ones, with "
        "its interval. Flipped: share of verdicts that the change turns round. Area under the "
        "curve: mean AUC along the levels of a change, from untouched to the strongest.</p>"
    ]
    for domain, (title, _) in _DOMAINS.items():
        chosen = [entry for entry in swept if entry["domain"] == domain]
        if chosen:
            parts.append(f"<h3>{title}: AUC lost</h3>{loss_table(chosen)}")
            parts.append(f"<h3>{title}: area under the curve</h3>{area_table(chosen)}")
    for name, entries in _by_data(swept):
        parts.append(
            f'<h3>{escape(name)}</h3><img alt="AUC against the level of each change on '
            f'{escape(name)}" src="{robustness_plots(entries, models)}">'
        )
        parts += [sweep_table(entry) for entry in entries]
    return "".join(parts)


def _meanings(benchmark: Entry) -> str:
    shown = {
        name
        for entry in benchmark["results"]
        for level in _LEVELS
        for name in entry.get(level, {"figures": ()})["figures"]
    }
    terms = "".join(
        f"<dt>{title}</dt><dd>{meaning}</dd>"
        for name, (title, meaning) in FIGURES.items()
        if name in shown
    )
    return f"<h2>What the figures mean</h2><dl>{terms}</dl>"


def _unreadable(data: Sequence[Entry]) -> str:
    names = "".join(
        f"<li>{escape(entry['name'])}: <code>{escape(image['file'])}</code>: "
        f"{escape(image['error'])}</li>"
        for entry in data
        for image in entry["unreadable"]
    )
    if not names:
        return "<h2>Images not scored</h2><p>None: every image was scored.</p>"
    return f"<h2>Images not scored</h2><p>Left out for all models.</p><ul>{names}</ul>"


def _by_data(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    grouped: dict[str, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry["data"], []).append(entry)
    return list(grouped.items())
