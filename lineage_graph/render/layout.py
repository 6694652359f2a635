"""Where everything stands: families as blocks in rows, generations as bands, the rest in groups at the end.

Positions depend on nothing but the graph and the labels, so the page needs no layout of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from lineage_graph.render import order
from lineage_graph.render.text import count
from lineage_graph.render.tidy import Drawing, draw

if TYPE_CHECKING:
    import networkx as nx

ROW = 50.0
"""From one row of models to the next inside a generation, in pixels."""

DROP_FIRST, DROP = 24.0, 46.0
"""From the top of a band to the centre of its first models: in the first generation, and where edges come in."""

FOOT = 36.0
"""From the centre of the last models of a band to its end; their labels stand there."""

HEADING = 34.0
"""Height of the line that names a family."""

GAP_X, GAP_Y, MARGIN = 48.0, 26.0, 16.0

MOST_SPREAD, MOST_LIFT = 100.0, 90.0
"""The most that is added between families, and to the way of the edges, where the page has room."""


@dataclass(frozen=True, slots=True)
class Band:
    """One generation in one row of families, across the page; 0 where the row holds other groups. In pixels."""

    generation: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Heading:
    """The name over a block. ``family``: its number, 0 for a group that is none; ``x``, ``y``: upper left corner."""

    family: int
    title: str
    detail: str
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Layout:
    """``positions``: centre of each model, in pixels; y grows downwards."""

    positions: Mapping[str, tuple[float, float]]
    bands: Sequence[Band]
    headings: Sequence[Heading]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Block:
    """``family``: 0 where the block is none. ``generations``: the band of each model, from 1."""

    family: int
    title: str
    detail: str
    drawing: Drawing
    generations: Mapping[str, int]

    @property
    def width(self) -> float:
        """Room for the heading too."""
        return max(self.drawing.width, 150.0 if self.family else 190.0)


def arrange(graph: nx.DiGraph[str], slots: Mapping[str, float], aspect: float) -> Layout:
    """Lay the graph out for a page of ``aspect`` width over height.

    ``slots``: the width that each model and its label need, in pixels; no two slots of a row overlap.
    """
    families = [_family(graph, number, members, slots) for number, members in order.families(graph).items()]
    shelves = _shelves(families, aspect)
    across = max((_width(shelf) for shelf in shelves), default=0.0)
    across = max(across, math.sqrt(sum(slots[node] for node in order.loners(graph)) * ROW * aspect))
    groups = [_group(title, members, slots, across) for title, members in _groups(graph)]
    shelves += _fill(groups, across) if groups else []
    return _stack(shelves, aspect)


def _family(graph: nx.DiGraph[str], number: int, members: Sequence[str], slots: Mapping[str, float]) -> _Block:
    generations = {node: int(graph.nodes[node]["generation"]) for node in members}
    drawing = draw(graph, members, slots)
    return _Block(number, f"Family {number}", count(len(members), "model"), drawing, generations)


def _groups(graph: nx.DiGraph[str]) -> Iterable[tuple[str, list[str]]]:
    for title, members in (("Without relatives", order.loners(graph)), ("Could not be read", order.failed(graph))):
        if members:
            yield title, members


def _group(title: str, members: Sequence[str], slots: Mapping[str, float], across: float) -> _Block:
    drawing = _grid(members, slots, across)
    return _Block(0, title, count(len(members), "model"), drawing, dict.fromkeys(members, 1))


def _grid(members: Sequence[str], slots: Mapping[str, float], across: float) -> Drawing:
    """Models of a group side by side, in as many rows as they need."""
    slot = max(slots[node] for node in members)
    columns = min(max(1, int(across / slot)), len(members))
    x = {node: (index % columns + 0.5) * slot for index, node in enumerate(members)}
    row = {node: index // columns for index, node in enumerate(members)}
    return Drawing(x, row, (math.ceil(len(members) / columns),), columns * slot)


def _shelves(blocks: Sequence[_Block], aspect: float) -> list[list[_Block]]:
    """Blocks in order, in rows of the width that makes the whole largest on a page of this aspect."""
    if not blocks:
        return []
    widest, total = max(block.width for block in blocks), _width(blocks)
    steps = min(len(blocks), 60)
    widths = {widest * (total / widest) ** (step / steps) for step in range(steps + 1)} | {total}
    fits = [_fill(blocks, width) for width in sorted(widths)]
    return min(fits, key=lambda shelves: max(max(map(_width, shelves)) / aspect, sum(map(_height, shelves))))


def _fill(blocks: Sequence[_Block], width: float) -> list[list[_Block]]:
    shelves: list[list[_Block]] = [[]]
    used = 0.0
    for block in blocks:
        if shelves[-1] and used + block.width > width + 0.5:
            shelves.append([])
            used = 0.0
        shelves[-1].append(block)
        used += block.width + GAP_X
    return shelves


def _width(shelf: Sequence[_Block]) -> float:
    return sum(block.width for block in shelf) + GAP_X * (len(shelf) - 1) + 2 * MARGIN


def _height(shelf: Sequence[_Block]) -> float:
    return HEADING + sum(_band_heights(shelf)) + GAP_Y


def _band_heights(shelf: Sequence[_Block], lift: float = 0.0) -> list[float]:
    """Heights of the generations of one row, each as high as the family that needs most."""
    depth = max(len(block.drawing.rows) for block in shelf)
    rows = [max((b.drawing.rows[g] for b in shelf if g < len(b.drawing.rows)), default=1) for g in range(depth)]
    return [(DROP + lift if g else DROP_FIRST) + ROW * (rows[g] - 1) + FOOT for g in range(depth)]


def _share(spare: float, among: int, most: float) -> float:
    return min(max(spare, 0.0) / among, most) if among else 0.0


def _stack(shelves: Sequence[Sequence[_Block]], aspect: float) -> Layout:
    """Rows below each other. What the page has to spare goes between the families, or into the way of the edges."""
    width = max((_width(shelf) for shelf in shelves), default=0.0)
    height = sum(map(_height, shelves))
    gaps = max((len(shelf) - 1 for shelf in shelves if _width(shelf) == width), default=0)
    steps = sum(len(_band_heights(shelf)) - 1 for shelf in shelves)
    spread = _share(height * aspect - width, gaps, MOST_SPREAD)
    lift = _share(width / aspect - height, steps, MOST_LIFT)
    positions: dict[str, tuple[float, float]] = {}
    bands: list[Band] = []
    headings: list[Heading] = []
    top = 0.0
    for shelf in shelves:
        tops = list(accumulate(_band_heights(shelf, lift), initial=top + HEADING))
        for generation, (start, end) in enumerate(pairwise(tops), start=1):
            bands.append(Band(generation if shelf[0].family else 0, start, end - start))
        left = MARGIN
        for block in shelf:
            headings.append(Heading(block.family, block.title, block.detail, left, top, block.width))
            inset = left + (block.width - block.drawing.width) / 2
            for node, x in block.drawing.x.items():
                generation = block.generations[node]
                drop = DROP_FIRST if generation == 1 else DROP + lift
                y = tops[generation - 1] + drop + ROW * block.drawing.row[node]
                positions[node] = (inset + x, y)
            left += block.width + GAP_X + spread
        top = tops[-1] + GAP_Y
    return Layout(positions, bands, headings, width + spread * gaps, max(top - GAP_Y, 0.0))
