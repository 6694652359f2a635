"""A reliability diagram as SVG: the share of right answers over their confidence, beside the diagonal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from lineage_graph.bench.plot import COLOURS
from lineage_graph.bench.reliability import Bin

SIDE = 280
"""Of the square, in pixels."""
LEFT, RIGHT, TOP, BOTTOM = 58, 24, 34, 46


def diagram(bins: Sequence[Bin], title: str) -> str:
    """One bar a bin, from the diagonal to the share of right answers, with a point and the number of answers.

    The same input gives the same bytes.
    """
    width, height = LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="18" font-weight="bold">{escape(title)}</text>',
        *_axes(),
        *(part for one in bins for part in _bin(one)),
        "</svg>",
        "",
    ]
    return "\n".join(parts)


def _x(confidence: float) -> float:
    return LEFT + SIDE * confidence


def _y(share: float) -> float:
    return TOP + SIDE * (1 - share)


def _axes() -> Iterator[str]:
    for tenths in range(0, 11, 2):
        share = tenths / 10
        yield f'<path d="M{LEFT} {_y(share):.1f}H{LEFT + SIDE}M{_x(share):.1f} {TOP}V{TOP + SIDE}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{_y(share) + 4:.1f}" text-anchor="end">{share:g}</text>'
        yield f'<text x="{_x(share):.1f}" y="{TOP + SIDE + 16}" text-anchor="middle">{share:g}</text>'
    yield (
        f'<path d="M{LEFT} {TOP + SIDE}L{LEFT + SIDE} {TOP}" stroke="{COLOURS[0]}" stroke-dasharray="4 3" fill="none"/>'
    )
    yield f'<text x="{LEFT + SIDE / 2:.1f}" y="{TOP + SIDE + 36}" text-anchor="middle">confidence</text>'
    middle = TOP + SIDE / 2
    yield f'<text x="16" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 16 {middle:.1f})">right</text>'


def _bin(one: Bin) -> Iterator[str]:
    x, y, ideal = _x(one.confidence), _y(one.right), _y(one.confidence)
    yield f'<path d="M{x:.1f} {ideal:.1f}V{y:.1f}" stroke="{COLOURS[2]}" stroke-width="3"/>'
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{COLOURS[1]}"/>'
    yield f'<text x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{one.count:,}</text>'
