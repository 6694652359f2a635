"""The sheet that a figure is drawn on: its size in print, its fonts and colours, and the legend beside the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lineage_graph.render import measure
from lineage_graph.render.figure import svg
from lineage_graph.render.palette import Palette

WIDTHS = {1: 252.0, 2: 516.0}
"""Of one and of two columns of a paper, in points (1/72 inch)."""

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"

SIZE, SMALL = 7.0, 5.5
"""Of text, and the smallest that is printed, in points."""

LINE, INDENT, COLUMN_GAP, GROUP_GAP = 10.0, 16.0, 14.0, 8.0
"""Of a legend: from line to line, from a line's mark to its words, between columns, between groups; in points."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """``columns``: 1 or 2, the width in a paper."""

    columns: int
    palette: Palette

    @property
    def width(self) -> float:
        """In points."""
        return WIDTHS[self.columns]


@dataclass(frozen=True, slots=True)
class Key:
    """A line of a legend. ``mark``: markup in a box of ``INDENT`` by ``SIZE`` around the origin."""

    mark: str
    words: str


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of a legend under a title."""

    title: str
    keys: Sequence[Key]

    @property
    def width(self) -> float:
        """In points."""
        lines = [INDENT + measure.width(key.words, SIZE) for key in self.keys]
        return max([measure.width(self.title, SIZE), *lines])

    @property
    def height(self) -> float:
        """In points."""
        return LINE * (len(self.keys) + 1)


def document(sheet: Sheet, height: float, name: str, *content: str) -> str:
    """The whole figure as text."""
    inside = svg.group(content, font_family=FONT, font_size=SIZE, fill=sheet.palette.ink)
    ground = svg.element("rect", width=sheet.width, height=height, fill=sheet.palette.ground)
    size = {"width": f"{svg.number(sheet.width)}pt", "height": f"{svg.number(height)}pt"}
    box = f"0 0 {svg.number(sheet.width)} {svg.number(height)}"
    attributes = {"xmlns": "http://www.w3.org/2000/svg", **size, "viewBox": box, "role": "img"}
    return svg.element("svg", svg.title(name), ground, inside, **attributes) + "\n"


def moved(x: float, y: float, *content: str) -> str:
    """Content with its origin at the point."""
    return svg.group(content, transform=f"translate({svg.number(x)} {svg.number(y)})")


def stacked(groups: Sequence[Group], sheet: Sheet) -> tuple[str, float, float]:
    """Groups below each other; with the width and height that they take."""
    parts, top = [], 0.0
    for group in groups:
        parts.append(moved(0, top, _group(group, sheet)))
        top += group.height + GROUP_GAP
    return "".join(parts), max((group.width for group in groups), default=0.0), max(top - GROUP_GAP, 0.0)


def abreast(groups: Sequence[Group], sheet: Sheet, width: float) -> tuple[str, float]:
    """Groups side by side, in as many rows as the width asks for; with the height that they take."""
    parts, x, top, tallest = [], 0.0, 0.0, 0.0
    for group in groups:
        if x and x + group.width > width:
            x, top, tallest = 0.0, top + tallest + GROUP_GAP, 0.0
        parts.append(moved(x, top, _group(group, sheet)))
        x += group.width + COLUMN_GAP
        tallest = max(tallest, group.height)
    return "".join(parts), top + tallest


def _group(group: Group, sheet: Sheet) -> str:
    parts = [svg.text(group.title, 0, SIZE, fill=sheet.palette.muted, font_weight="bold")]
    for line, key in enumerate(group.keys, start=1):
        baseline = SIZE + line * LINE
        parts += [moved(INDENT / 2 - 2, baseline - SIZE * 0.36, key.mark), svg.text(key.words, INDENT, baseline)]
    return "".join(parts)
