"""Plots of a measurement as lines and boxes in a square of 100."""

from collections.abc import Mapping
from typing import Any


def roc_points(curves: Mapping[str, Any]) -> str:
    """The ROC curve as points of a line."""
    roc = curves["roc"]
    pairs = zip(roc["false_alarms"], roc["found"], strict=True)
    return " ".join(f"{100 * x:.1f},{100 - 100 * y:.1f}" for x, y in pairs)


def roc_rows(curves: Mapping[str, Any], rates: tuple[float, ...] = (0.01, 0.05, 0.1, 0.2)) -> Any:
    """The share of manipulated images that is found at given shares of false alarms."""
    roc = curves["roc"]
    corners = list(zip(roc["false_alarms"], roc["found"], strict=True))
    return [
        (100 * rate, 100 * max((found for false, found in corners if false <= rate), default=0.0))
        for rate in rates
    ]


def reliability_bars(curves: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One bar for each range of scores that has images."""
    rows = [row for row in curves["reliability"] if row["count"]]
    return [
        row
        | {
            "bar": {
                "x": round(100 * row["low"] + 1, 1),
                "width": round(100 * (row["high"] - row["low"]) - 2, 1),
                "y": round(100 - 100 * row["share_fake"], 1),
                "height": round(100 * row["share_fake"], 1),
            },
            "percent": 100 * row["share_fake"],
        }
        for row in rows
    ]
