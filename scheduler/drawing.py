"""The drawing of a bulletin's chart with matplotlib; imported only by the process that draws."""

from __future__ import annotations

import io
import textwrap
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

WIDE = 1000  # pixels
DPI = 100
ROW = 62  # pixels a topic
HEAD, FOOT, STRIP = 172, 14, 176  # pixels
LONGEST = 26  # letters of a label in one line

# Okabe and Ito's colours, told apart by eyes of every kind; ink is checked against white paper.
NOW, BEFORE, INK, FAINT = "#0072B2", "#B9C4CC", "#1B2733", "#5B6B78"
STRIPS = {
    "praise": ("#009E73", "white"),
    "neutral": ("#C9D1D8", INK),
    "criticism": ("#D55E00", "white"),
}
OTHER = ("#E9EDF0", INK)
NARROW = 0.13  # of the strip: a narrower part has no room for its number


def png(picture: dict[str, Any]) -> bytes:
    """The picture as PNG; the same picture gives the same bytes."""
    mpl.rcParams.update({"font.family": "DejaVu Sans", "axes.linewidth": 0, "text.color": INK})
    bars, strip = picture["bars"], picture["strip"]
    body = 70 + ROW * len(bars)
    high = HEAD + body + (STRIP if strip else 0) + FOOT
    figure = Figure(figsize=(WIDE / DPI, high / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _head(figure, picture, high)
    _bars(_axes(figure, high, HEAD + 55, body - 70, 0.36, 0.54), bars)
    _legend(figure, picture, high)
    if strip:
        top = HEAD + body
        figure.text(0.04, 1 - (top + 24) / high, picture["sentiment"], size=15, weight="bold")
        _strip(_axes(figure, high, top + 48, 110, 0.04, 0.92), strip)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _axes(figure: Figure, high: int, top: int, tall: int, left: float, wide: float) -> Axes:
    axes = figure.add_axes((left, 1 - (top + tall) / high, wide, tall / high))
    axes.set_axis_off()
    return axes


def _head(figure: Figure, picture: dict[str, Any], high: int) -> None:
    title = picture["title"]
    figure.text(0.04, 1 - 62 / high, title, size=27, weight="bold")
    unit = textwrap.shorten(picture["unit"], 60, placeholder="…")
    figure.text(0.04, 1 - 100 / high, unit, size=17, color=FAINT)
    figure.text(0.04, 1 - 146 / high, picture["total"], size=19, weight="bold", color=NOW)


def _legend(figure: Figure, picture: dict[str, Any], high: int) -> None:
    level = 1 - (HEAD + 30) / high
    figure.text(0.04, level, picture["topics"], size=15, weight="bold")
    if any(bar["before"] for bar in picture["bars"]):
        words = picture["legend"]
        figure.text(0.36, level, "■", size=15, color=NOW)
        figure.text(0.385, level, words[0], size=15)
        figure.text(0.55, level, "■", size=15, color=BEFORE)
        figure.text(0.575, level, words[1], size=15)


def _bars(axes: Axes, bars: list[dict[str, Any]]) -> None:
    most = max(max(bar["now"], bar["before"] or 0) for bar in bars)
    axes.set_xlim(0, most * 1.17)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    for level, bar in enumerate(bars):
        compared = bar["before"] is not None
        axes.barh(level - (0.13 if compared else 0), bar["now"], 0.5, color=NOW)
        if compared:
            axes.barh(level + 0.26, bar["before"], 0.2, color=BEFORE)
        axes.text(
            bar["now"] + most * 0.015,
            level - (0.13 if compared else 0),
            bar["said"],
            size=17,
            va="center",
        )
        axes.text(
            -most * 0.025,
            level,
            _lines(bar["label"]),
            size=16,
            ha="right",
            va="center",
            linespacing=1.05,
        )


def _lines(label: str) -> str:
    """A label in one line, or in two about as long as each other."""
    if len(label) <= LONGEST:
        return label
    return "\n".join(textwrap.wrap(label, max(LONGEST // 2, len(label) // 2 + 3))[:2])


def _strip(axes: Axes, strip: list[dict[str, Any]]) -> None:
    total = sum(part["count"] for part in strip)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    start, column = 0.0, 1 / len(strip)
    for number, part in enumerate(strip):
        wide = part["count"] / total
        paper, ink = STRIPS.get(part["id"], OTHER)
        axes.barh(0.74, wide, 0.5, left=start, color=paper, edgecolor="white", linewidth=2)
        if wide >= NARROW:
            middle = start + wide / 2
            axes.text(middle, 0.73, part["said"], size=17, color=ink, ha="center", va="center")
        _key(axes, number * column, paper, part, wide < NARROW)
        start += wide


def _key(axes: Axes, left: float, paper: str, part: dict[str, Any], narrow: bool) -> None:
    said = f"{part['label']} {part['said']}" if narrow else part["label"]
    axes.text(left, 0.2, "■", size=15, color=paper, va="center")
    axes.text(left + 0.025, 0.2, said, size=14, va="center")
