"""Plots of a benchmark, drawn from the content of its JSON file."""

import base64
import io
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

_LINES = {"in-domain": "-", "unseen": "--", "not declared": ":"}
_COLUMNS = 3


def curve_plots(results: Sequence[dict[str, Any]], models: Sequence[str]) -> str:
    """ROC, reliability and risk-coverage of the models on one data set, by image.

    Args:
        results: entries of ``results`` in the JSON file.
        models: names of all models; the place of a model in there gives its colour.

    Returns:
        A PNG file as a data URL.
    """
    figure = Figure(figsize=(15, 5), layout="constrained")
    roc, reliability, risk = figure.subplots(1, 3)
    for entry in results:
        image = entry["image"]
        style = _style(entry, models)
        roc.plot(image["roc"]["false_alarms"], image["roc"]["found"], **style)
        bins = [row for row in image["reliability"] if row["count"]]
        reliability.plot(
            [row["mean_probability"] for row in bins],
            [row["share_fake"] for row in bins],
            marker="o",
            markersize=3,
            **style,
        )
        risk.plot(
            image["risk_coverage"]["coverage"],
            image["risk_coverage"]["risk"],
            label=f"{entry['model']} ({entry['domain']})",
            **style,
        )
    for axes in (roc, reliability):
        axes.plot([0, 1], [0, 1], color="0.75", linewidth=1)
    _name(roc, "ROC", "real images called deepfakes", "deepfakes found")
    _name(reliability, "Reliability", "fake probability", "share that is a deepfake")
    _name(risk, "Risk and coverage", "share of images, the surest first", "wrong among them")
    risk.set_ylim(bottom=0)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return _data_url(figure)


def robustness_plots(swept: Sequence[dict[str, Any]], models: Sequence[str]) -> str:
    """AUC against the level of every change, of the models on one data set.

    Args:
        swept: entries of ``robustness`` in the JSON file.
        models: see `curve_plots`.

    Returns:
        A PNG file as a data URL.
    """
    families = list(swept[0]["families"])
    rows = -(-len(families) // _COLUMNS)
    figure = Figure(figsize=(15, 3.2 * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, sharey=True)
    for axes, name in zip(panels.flat, families, strict=False):
        for entry in swept:
            levels = entry["families"][name]["levels"]
            label = f"{entry['model']} ({entry['domain']})" if name == families[0] else None
            axes.plot(
                [_tick(level["level"]) for level in levels],
                [level["auc"] for level in levels],
                marker="o",
                markersize=3,
                label=label,
                **_style(entry, models),
            )
        axes.axhline(0.5, color="0.75", linewidth=1)
        _name(axes, name, swept[0]["families"][name]["unit"], "AUC")
    for axes in figure.axes[len(families) :]:
        axes.set_axis_off()
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return _data_url(figure)


def _style(entry: dict[str, Any], models: Sequence[str]) -> dict[str, Any]:
    colour = f"C{models.index(entry['model'])}"
    return {"color": colour, "linestyle": _LINES[entry["domain"]], "linewidth": 1.6}


def _tick(level: float | None) -> str:
    return "as is" if level is None else f"{level:g}"


def _name(axes: Axes, title: str, across: str, upwards: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(across)
    axes.set_ylabel(upwards)
    axes.grid(color="0.92")
    axes.spines[["top", "right"]].set_visible(False)


def _data_url(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
