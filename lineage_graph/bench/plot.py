"""A small figure as SVG: panels of points over named positions, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 360, 240
"""Of one panel, in pixels."""
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 30, 34
LEGEND = 34
COLOURS = ("#5b6470", "#0b7a75", "#c8553d", "#3d5a98", "#8f6bb0")
MARKS = ("circle", "square", "diamond", "triangle", "circle")


@dataclass(frozen=True, slots=True)
class Panel:
    """``ticks``: the positions' names; ``series``: values above 0 by name, ``None`` where there is none.

    ``joined``: whether lines join the points, for positions that are an order.
    """

    title: str
    ticks: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    joined: bool = False


def figure(panels: Sequence[Panel], columns: int = 2) -> str:
    """The panels row by row under one legend; the same input gives the same bytes."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.series))
    rows = math.ceil(len(panels) / columns)
    width, height = WIDTH * columns, LEGEND + HEIGHT * rows
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *_legend(names, width),
    ]
    for number, panel in enumerate(panels):
        x, y = WIDTH * (number % columns), LEGEND + HEIGHT * (number // columns)
        parts += [f'<g transform="translate({x} {y})">', *_panel(panel, names), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _legend(names: Sequence[str], width: int) -> Iterator[str]:
    step = (width - LEFT) / len(names)
    for number, name in enumerate(names):
        x = LEFT + number * step
        yield _mark(number, x, 20)
        yield f'<text x="{x + 9:.1f}" y="24">{escape(name)}</text>'


def _panel(panel: Panel, names: Sequence[str]) -> Iterator[str]:
    values = [value for series in panel.series.values() for value in series if value is not None]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    inner = HEIGHT - TOP - BOTTOM
    step = (WIDTH - LEFT - RIGHT) / len(panel.ticks)

    def place(number: int, value: float) -> tuple[float, float]:
        share = (math.log10(value) - low) / (high - low)
        return LEFT + (number + 0.5) * step, TOP + inner * (1 - share)

    yield f'<text x="{LEFT}" y="18" font-weight="bold">{escape(panel.title)}</text>'
    for power in range(low, high + 1):
        y = place(0, 10.0**power)[1]
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:,.16g}</text>'
    for number, tick in enumerate(panel.ticks):
        x = place(number, 10.0**low)[0]
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{escape(tick)}</text>'
    for name, series in panel.series.items():
        points = [place(number, value) for number, value in enumerate(series) if value is not None]
        yield from _series(names.index(name), points, panel.joined)


def _series(number: int, points: Iterable[tuple[float, float]], joined: bool) -> Iterator[str]:
    points = list(points)
    if joined and len(points) > 1:
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{line}" fill="none" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="1.5"/>'
    yield from (_mark(number, x, y) for x, y in points)


def _mark(number: int, x: float, y: float) -> str:
    colour, kind = COLOURS[number % len(COLOURS)], MARKS[number % len(MARKS)]
    corners = {
        "square": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        "diamond": ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
        "triangle": ((0, -5), (5, 4), (-5, 4)),
    }
    if kind == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>'
    points = " ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in corners[kind])
    return f'<polygon points="{points}" fill="{colour}"/>'
