"""Robustness curves of a released model, each drawn in a picture of 120 x 100."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

_LEFT, _RIGHT, _TOP, _BOTTOM = 2.0, 118.0, 2.0, 98.0
_STYLES = 5

TITLES = {
    "jpeg": _("JPEG compression, by quality"),
    "blur": _("Blur, by its width in pixels"),
    "resize bicubic": _("Lower resolution, by scale"),
    "noise": _("Noise, as a share of the range"),
    "brightness": _("Brightness, by factor"),
    "screenshot": _("Passed on as a screenshot, times"),
}


@dataclass(frozen=True)
class Panel:
    """What one kind of change does.

    Attributes:
        title: the kind.
        lines: ``style`` and ``points`` of each set's curve.
        rows: what was done, and the area under the ROC curve on each set.
    """

    title: str
    lines: list[dict[str, Any]]
    rows: list[tuple[str, list[float]]]


def panels(measured: Sequence[Mapping[str, Any]]) -> list[Panel]:
    """A panel for each kind of change.

    Args:
        measured: as `mesonet.weights.Released.robustness`.
    """
    return [
        Panel(
            str(title),
            [
                {"style": place % _STYLES, "points": _points(_aucs(data, name))}
                for place, data in enumerate(measured)
            ],
            list(
                zip(
                    [_label(level["level"]) for level in family["levels"]],
                    map(list, zip(*(_aucs(data, name) for data in measured), strict=True)),
                    strict=True,
                )
            ),
        )
        for name, title in TITLES.items()
        if (family := measured[0]["families"].get(name))
    ]


def _aucs(data: Mapping[str, Any], name: str) -> list[float]:
    return [level["auc"] for level in data["families"][name]["levels"]]


def _points(aucs: Sequence[float]) -> str:
    """Chance, .5, is at the bottom; 1 at the top."""
    step = (_RIGHT - _LEFT) / max(1, len(aucs) - 1)
    return " ".join(
        f"{_LEFT + step * place:.1f},{_BOTTOM - (_BOTTOM - _TOP) * max(0.0, 2 * auc - 1):.1f}"
        for place, auc in enumerate(aucs)
    )


def _label(level: float | None) -> str:
    return str(_("unchanged")) if level is None else number_format(level)
