"""Where everything stands: families as blocks in rows, generations as bands, the rest in groups at the end.

Positions depend on nothing but the graph and the labels, so the page needs no layout of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from lineage_graph.render import order
from lineage_graph.render.reading import census
from lineage_graph.render.routes import Route, routes
from lineage_graph.render.text import count
from lineage_graph.render.tidy import Drawing, draw

if TYPE_CHECKING:
    import networkx as nx

ROW, FOLDED_ROW = 50.0, 72.0
"""From one row of models to the next, in pixels: in a group, and inside a generation, where edges run between them."""

DROP_FIRST, DROP = 24.0, 46.0
"""From the top of a band to the centre of its first models: in the first generation, and where edges come in."""

FOLDED_DROP = 14.0
"""Added where a generation has several rows: room for the way to their trunk."""

FOOT = 36.0
"""From the centre of the last models of a band to its end; their labels stand there."""

FAN, MOST_FAN = 7.0, 70.0
"""Added for each parent beyond the second of one model, so that their edges do not come in flat; and the most of it."""

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
    """``positions``: centre of each model, in pixels; y grows downwards. ``routes``: of the edges that need one."""

    positions: Mapping[str, tuple[float, float]]
    routes: Mapping[tuple[str, str], Route]
    bands: Sequence[Band]
    headings: Sequence[Heading]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Block:
    """``family``: 0 where the block is none. ``generations``: the band of each model, from 1. ``parents``: by band, the
    most that one of its models has.
    """

    family: int
    title: str
    detail: str
    drawing: Drawing
    generations: Mapping[str, int]
    parents: Mapping[int, int] = field(default_factory=dict)

    @property
    def width(self) -> float:
        """Room for the heading too."""
        return max(self.drawing.width, 150.0 if self.family else 190.0)

    @property
    def pitch(self) -> float:
        """From row to row inside a generation."""
        return FOLDED_ROW if self.family else ROW


def arrange(graph: nx.DiGraph[str], slots: Mapping[str, float], aspect: float, effort: float = 1.0) -> Layout:
    """Lay the graph out for a page of ``aspect`` width over height.

    ``slots``: the width that each model and its label need, in pixels; no two slots of a row overlap. ``effort``: see
    ``tidy.draw``.
    """
    families = [_family(graph, number, members, slots, effort) for number, members in order.families(graph).items()]
    shelves = _shelves(families, aspect)
    across = max((_width(shelf) for shelf in shelves), default=0.0)
    across = max(across, math.sqrt(sum(slots[node] for node in order.loners(graph)) * ROW * aspect))
    groups = [_group(title, members, slots, across) for title, members in _groups(graph)]
    shelves += _fill(groups, across) if groups else []
    return _stack(graph, shelves, slots, aspect)


def _family(
    graph: nx.DiGraph[str], number: int, members: Sequence[str], slots: Mapping[str, float], effort: float
) -> _Block:
    generations = {node: int(graph.nodes[node]["generation"]) for node in members}
    parents: dict[int, int] = {}
    for node, generation in generations.items():
        parents[generation] = max(parents.get(generation, 0), graph.in_degree(node))
    drawing = draw(graph, members, slots, effort)
    return _Block(number, f"Family {number}", census(graph, members), drawing, generations, parents)


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
    return HEADING + sum(height for _, height in _bands(shelf)) + GAP_Y


def _bands(shelf: Sequence[_Block], lift: float = 0.0) -> list[tuple[float, float]]:
    """Of each generation of one row: from its top to its first models, and its height, which the largest needs."""
    bands = []
    for generation in range(max(len(block.drawing.rows) for block in shelf)):
        rows = max(block.drawing.rows[generation] for block in shelf if generation < len(block.drawing.rows))
        parents = max(block.parents.get(generation + 1, 0) for block in shelf)
        fan = min(FAN * max(parents - 2, 0), MOST_FAN)
        drop = DROP + lift + fan + (FOLDED_DROP if rows > 1 else 0.0) if generation else DROP_FIRST
        bands.append((drop, drop + shelf[0].pitch * (rows - 1) + FOOT))
    return bands


def _share(spare: float, among: int, most: float) -> float:
    return min(max(spare, 0.0) / among, most) if among else 0.0


def _stack(
    graph: nx.DiGraph[str], shelves: Sequence[Sequence[_Block]], slots: Mapping[str, float], aspect: float
) -> Layout:
    """Rows below each other. What the page has to spare goes between the families, or into the way of the edges."""
    width = max((_width(shelf) for shelf in shelves), default=0.0)
    height = sum(map(_height, shelves))
    gaps = max((len(shelf) - 1 for shelf in shelves if _width(shelf) == width), default=0)
    steps = sum(len(_bands(shelf)) - 1 for shelf in shelves)
    spread = _share(height * aspect - width, gaps, MOST_SPREAD)
    lift = _share(width / aspect - height, steps, MOST_LIFT)
    positions: dict[str, tuple[float, float]] = {}
    trunks: dict[str, float] = {}
    bands: list[Band] = []
    headings: list[Heading] = []
    top = 0.0
    for shelf in shelves:
        drops, heights = zip(*_bands(shelf, lift), strict=True)
        tops = list(accumulate(heights, initial=top + HEADING))
        for generation, (start, end) in enumerate(pairwise(tops), start=1):
            bands.append(Band(generation if shelf[0].family else 0, start, end - start))
        left = MARGIN
        for block in shelf:
            headings.append(Heading(block.family, block.title, block.detail, left, top, block.width))
            inset = left + (block.width - block.drawing.width) / 2
            for node, x in block.drawing.x.items():
                generation = block.generations[node]
                y = tops[generation - 1] + drops[generation - 1] + block.pitch * block.drawing.row[node]
                positions[node] = (inset + x, y)
            trunks.update({node: inset + x for node, x in block.drawing.trunk.items()})
            left += block.width + GAP_X + spread
        top = tops[-1] + GAP_Y
    ways = routes(graph, positions, slots, trunks)
    return Layout(positions, ways, bands, headings, width + spread * gaps, max(top - GAP_Y, 0.0))
