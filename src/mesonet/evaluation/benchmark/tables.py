"""Tables of the benchmark's page, from the content of its JSON file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table with more than its text.

    Attributes:
        text: what it says.
        below: smaller lines, if any.
        clear: whether the text is bold.
    """

    text: str
    below: str = ""
    clear: bool = False


Row = Sequence[str | Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its first ``text_columns`` columns hold text and stand left."""

    head: Sequence[str]
    rows: Sequence[Row]
    text_columns: int


@dataclass(frozen=True, slots=True)
class Folded:
    """A table that is folded away under a summary."""

    summary: str
    table: Table


FIGURES = {
    "auc": (
        "AUC",
        "How often a deepfake scores higher than a real image. 1 is perfect, 0.5 is guessing. "
        "It needs no threshold.",
    ),
    "average_precision": (
        "AP",
        "Average precision: how pure the top of the list stays when images are sorted by score. "
        "Guessing gives the share of deepfakes in the set.",
    ),
    "eer": (
        "EER",
        "Equal error rate: the error rate at the threshold with as many false alarms as misses. "
        "0 is perfect, 0.5 is guessing.",
    ),
    "accuracy": (
        "accuracy",
        "Share called right at the model's own threshold, 0.5 where none was chosen. Images that "
        "a model was trained on may have chosen it.",
    ),
    "balanced_accuracy": (
        "balanced",
        "Accuracy where real images and deepfakes count one half each. 0.5 is guessing.",
    ),
    "tpr_at_fpr_1": (
        "found at 1\N{NO-BREAK SPACE}%",
        "Share of the deepfakes that are found by a threshold that accuses at most 1 % of the "
        "real images.",
    ),
    "tpr_at_fpr_5": (
        "found at 5\N{NO-BREAK SPACE}%",
        "The same, accusing at most 5 % of the real images.",
    ),
    "brier": (
        "Brier",
        "Mean squared distance between fake probability and truth. 0 is perfect; always saying "
        "0.5 gives 0.25.",
    ),
    "ece": (
        "ECE",
        "Expected calibration error: how far probabilities are from what comes true, over 15 "
        "bins of equal width. 0 means that probabilities can be taken at their word, for sets "
        "with this share of deepfakes. With few images it comes out too high.",
    ),
    "uncertain": ("uncertain", "Share of images on which the model does not decide."),
    "accuracy_decided": ("right if decided", "Accuracy on those on which it decides."),
}


def figure_table(results: Sequence[Entry], level: str) -> Table:
    """All figures of entries of ``results`` that have this level."""
    names = [n for n in FIGURES if any(n in entry[level]["figures"] for entry in results)]
    rows: list[Row] = [
        [
            entry["data"],
            entry["model"],
            Cell(str(entry[level]["count"]), f"{entry[level]['deepfake']} deepfake"),
            *(_value(entry[level]["figures"].get(name)) for name in names),
        ]
        for entry in results
    ]
    return Table(["data", "model", "count", *(FIGURES[name][0] for name in names)], rows, 2)


def bin_table(results: Sequence[Entry]) -> Table:
    """Counts of the calibration bins, by image, of entries of ``results`` on one data set."""
    bins = [entry["image"]["reliability"] for entry in results]
    rows: list[Row] = [
        [
            f"{row[0]['low']:.3f} to {row[0]['high']:.3f}",
            *(
                Cell(str(cell["count"]), f"{cell['share_fake']:.1%} deepfake")
                if cell["count"]
                else "0"
                for cell in row
            ),
        ]
        for row in zip(*bins, strict=True)
    ]
    return Table(["fake probability", *(entry["model"] for entry in results)], rows, 1)


def loss_table(swept: Sequence[Entry]) -> Table:
    """The AUC lost to JPEG 50, half resolution and a screenshot, of entries of ``robustness``."""
    shown = [
        ("jpeg", 50, "JPEG 50"),
        *(
            (name, 0.5, f"half, {name.removeprefix('resize ')}")
            for name in swept[0]["families"]
            if name.startswith("resize ")
        ),
        ("screenshot", 1, "screenshot"),
    ]
    rows: list[Row] = [
        [
            entry["data"],
            entry["model"],
            Cell(
                str(entry["images"]),
                "" if entry["groups"] is None else f"{entry['groups']} groups",
            ),
            f"{entry['auc']:.3f}",
            *(_loss(_level(entry, family, level)) for family, level, _ in shown),
        ]
        for entry in swept
    ]
    head = ["data", "model", "images", "AUC untouched", *(title for _, _, title in shown)]
    return Table(head, rows, 2)


def area_table(swept: Sequence[Entry]) -> Table:
    """The area under the curve of every change, of entries of ``robustness``."""
    families = list(swept[0]["families"])
    rows: list[Row] = [
        [
            entry["data"],
            entry["model"],
            f"{entry['auc']:.3f}",
            *(f"{entry['families'][name]['area']:.3f}" for name in families),
        ]
        for entry in swept
    ]
    return Table(["data", "model", "untouched", *families], rows, 2)


def sweep_table(entry: Entry) -> Folded:
    """Every level of every change, of one entry of ``robustness``; folded away."""
    rows: list[Row] = [
        [
            name,
            f"{level['level']:g}",
            f"{level['auc']:.3f}",
            difference(level["lost"]),
            f"{level['flipped']:.1%}",
        ]
        for name, family in entry["families"].items()
        for level in family["levels"]
        if level["level"] is not None
    ]
    head = ["change", "level", "AUC", "AUC lost", "flipped"]
    return Folded(f"{entry['data']}, {entry['model']}: all levels", Table(head, rows, 1))


def _level(entry: Entry, family: str, level: float) -> Entry:
    levels: list[Entry] = entry["families"][family]["levels"]
    return next(found for found in levels if found["level"] == level)


def _loss(level: Entry) -> Cell:
    return difference(level["lost"], f"{level['flipped']:.1%} flipped")


def _value(figure: Entry | None) -> Cell:
    if figure is None or figure["value"] is None:
        return Cell("-")
    return Cell(f"{figure['value']:.3f}", f"{figure['low']:.3f} to {figure['high']:.3f}")


def difference(figure: Entry, *more: str) -> Cell:
    """A cell with a difference, its interval, and more lines; bold where that leaves out 0."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return Cell("-", "\n".join(more))
    below = "\n".join([f"{low:+.3f} to {high:+.3f}", *more])
    return Cell(f"{value:+.3f}", below, clear=low > 0 or high < 0)
