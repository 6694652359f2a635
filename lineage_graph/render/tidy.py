"""One family as a layered drawing: generations from top to bottom, no two models in each other's place.

The edges to each model's main parent form a forest; it is drawn as tidy trees (Reingold & Tilford, "Tidier drawings of
trees", IEEE TSE 1981): subtrees are pushed together as far as their outlines allow and parents stand over the middle of
their children. Siblings are then ordered so that models with several parents come between them, and moved under the
mean of their parents as far as the neighbours leave room. Many siblings without children fold into a grid, with a way
for their edges in its middle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from lineage_graph.render.contour import Contour, join
from lineage_graph.render.order import children_of, edge_order, main_parents

if TYPE_CHECKING:
    import networkx as nx

Point = tuple[float, int]

FOLD, FOLD_ASPECT = 8, 3.0
"""Childless siblings that stand side by side; more of them fold into a grid, so many times as many columns as rows."""

LANE = 16.0
"""Width kept free where an edge passes through a generation, in pixels."""

TRIALS = 100_000
"""Orders of siblings that are tried, times the models of the family."""

COUNTABLE = 1_000_000
"""Pairs of edges that are looked at for crossings, over all orders that are tried."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """``x``: centre of each model in pixels, from the left edge; ``row``: its row inside its generation, from 0;
    ``rows``: how many rows each generation (1, 2, …) needs; ``width`` in pixels. ``trunk``: for each folded model where
    the edges to it and its siblings go down between them, in pixels from the left edge.
    """

    x: Mapping[str, float]
    row: Mapping[str, int]
    rows: tuple[int, ...]
    width: float
    trunk: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Forest:
    """``units``: what is placed as one, by its first model: a model, or folded siblings. ``columns``: of each unit.
    ``roots``, ``parent`` and ``children`` hold first models; the lists are in drawing order, from left to right.
    ``level`` is the generation; ``width`` in pixels; ``extra``: the edges that do not come from a main parent.
    """

    units: Mapping[str, Sequence[str]]
    columns: Mapping[str, int]
    roots: list[str]
    parent: Mapping[str, str]
    children: Mapping[str, list[str]]
    level: Mapping[str, int]
    width: Mapping[str, float]
    extra: Sequence[tuple[str, str]]


def draw(graph: nx.DiGraph[str], members: Sequence[str], slots: Mapping[str, float], effort: float = 1.0) -> Drawing:
    """Place the ``members`` of one family. ``slots``: the width that each model and its label need, in pixels.
    ``effort``: share of the orders of siblings that are tried otherwise, 0 to 1.
    """
    forest = _forest(graph.subgraph(members), members, slots)
    x = _place(forest)
    if forest.extra:
        x = _with_fewer_crossings(forest, x, effort)
        _centre_under_parents(graph, forest, x)
    return _unfold(forest, x, slots)


def _forest(family: nx.DiGraph[str], members: Sequence[str], slots: Mapping[str, float]) -> _Forest:
    parent = main_parents(family)
    children = children_of(parent, members)
    level = {node: int(family.nodes[node]["generation"]) for node in members}
    units: dict[str, Sequence[str]] = {node: (node,) for node in members}
    columns = dict.fromkeys(members, 1)
    width = {node: slots[node] for node in members}
    for siblings in children.values():
        leaves = [n for n in siblings if family.out_degree(n) == 0 and family.in_degree(n) == 1]
        if len(leaves) <= FOLD:
            continue
        first = leaves[0]
        units[first] = leaves
        columns[first] = 2 * math.ceil(math.sqrt(len(leaves) * FOLD_ASPECT) / 2)
        width[first] = columns[first] * max(slots[n] for n in leaves)
        for leaf in leaves[1:]:
            del units[leaf]
        siblings[:] = [n for n in siblings if n in units]
    roots = [node for node in members if node not in parent]
    extra = [(u, v) for u, v in edge_order(family) if parent[v] != u]
    return _Forest(units, columns, roots, parent, children, level, width, extra)


def _place(forest: _Forest) -> dict[str, float]:
    """Centres of the units, the trees of the forest side by side."""
    offset: dict[str, float] = {}
    outline: dict[str, Contour] = {}
    for unit in sorted(forest.units, key=lambda u: -forest.level[u]):
        offspring = forest.children.get(unit, [])
        for child in offspring:
            lanes = range(forest.level[unit] + 1, forest.level[child])
            outline[child].reserve(lanes, LANE)
        places, joined = join([outline.pop(child) for child in offspring])
        middle = (places[0] + places[-1]) / 2 if places else 0.0
        offset.update((child, place - middle) for child, place in zip(offspring, places, strict=True))
        joined.shift -= middle
        joined.reserve([forest.level[unit]], forest.width[unit])
        outline[unit] = joined
    places, _ = join([outline[root] for root in forest.roots])
    x = dict(zip(forest.roots, places, strict=True))
    for unit in sorted(forest.units, key=lambda u: forest.level[u]):
        if unit in forest.parent:
            x[unit] = x[forest.parent[unit]] + offset[unit]
    return x


def _with_fewer_crossings(forest: _Forest, x: dict[str, float], effort: float) -> dict[str, float]:
    """Move subtrees that extra edges leave or enter among their siblings, one at a time, as long as that helps."""
    pairs = len(forest.extra) * (len(forest.extra) + len(forest.parent))
    trials = TRIALS // len(forest.units)
    if pairs <= COUNTABLE:
        trials = min(trials, COUNTABLE // max(pairs, 1))
    least, trials = _tangle(forest, x), max(int(trials * effort), 1)
    for unit in _entangled(forest):
        siblings = forest.children[forest.parent[unit]] if unit in forest.parent else forest.roots
        for place in range(min(len(siblings), max(trials, 0))):
            before = list(siblings)
            siblings.remove(unit)
            siblings.insert(place, unit)
            moved = _place(forest)
            tangle = _tangle(forest, moved)
            trials -= 1
            if tangle < least:
                x, least = moved, tangle
            else:
                siblings[:] = before
    return x


def _entangled(forest: _Forest) -> list[str]:
    """The ends of extra edges and all that they hang on, from the roots downwards."""
    found: set[str] = set()
    for edge in forest.extra:
        for end in edge:
            unit: str | None = end
            while unit is not None and unit not in found:
                found.add(unit)
                unit = forest.parent.get(unit)
    return [unit for unit in forest.units if unit in found]


def _tangle(forest: _Forest, x: Mapping[str, float]) -> tuple[int, float]:
    """Crossings of the extra edges, then their length: what a better order makes smaller."""
    at = {unit: (x[unit], forest.level[unit]) for unit in forest.units}
    extra = [(at[parent], at[child]) for parent, child in forest.extra]
    edges = extra + [(at[forest.parent[unit]], at[unit]) for unit in forest.units if unit in forest.parent]
    crossings = 0
    if len(extra) * len(edges) <= COUNTABLE:
        crossings = sum(_cross(*first, *second) for first in extra for second in edges)
    return crossings, sum(abs(start[0] - end[0]) for start, end in extra)


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Do the segments ab and cd cross, ends not counted?"""
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _centre_under_parents(graph: nx.DiGraph[str], forest: _Forest, x: dict[str, float]) -> None:
    """Move models with several parents, with all that hangs on them, towards the mean of their parents."""
    for unit in sorted({child for _, child in forest.extra}, key=lambda u: (forest.level[u], x[u])):
        parents = list(graph.predecessors(unit))
        wanted = sum(x[parent] for parent in parents) / len(parents) - x[unit]
        moved = _below(forest, unit)
        most_left, most_right = _room(forest, x, moved)
        shift = min(max(wanted, most_left), most_right)
        for part in moved:
            x[part] += shift


def _below(forest: _Forest, unit: str) -> set[str]:
    found, stack = {unit}, [unit]
    while stack:
        offspring = forest.children.get(stack.pop(), [])
        found.update(offspring)
        stack.extend(offspring)
    return found


def _room(forest: _Forest, x: Mapping[str, float], moved: set[str]) -> tuple[float, float]:
    """How far the ``moved`` units can go to the left (≤ 0) and to the right (≥ 0) before one meets a neighbour."""
    layers: dict[int, list[str]] = {}
    for unit in forest.units:
        layers.setdefault(forest.level[unit], []).append(unit)
    left, right = -math.inf, math.inf
    for level in {forest.level[unit] for unit in moved}:
        for a, b in pairwise(sorted(layers[level], key=lambda u: x[u])):
            gap = max(x[b] - x[a] - (forest.width[a] + forest.width[b]) / 2, 0.0)
            if a in moved and b not in moved:
                right = min(right, gap)
            if b in moved and a not in moved:
                left = max(left, -gap)
    return left, right


def _unfold(forest: _Forest, x: Mapping[str, float], slots: Mapping[str, float]) -> Drawing:
    """Places of the models from those of the units. The last row of folded siblings is centred."""
    place: dict[str, float] = {}
    row: dict[str, int] = {}
    rows: dict[int, int] = {}
    trunk: dict[str, float] = {}
    for unit, models in forest.units.items():
        columns = forest.columns[unit]
        slot = max(slots[model] for model in models)
        for index, model in enumerate(models):
            row[model], column = divmod(index, columns)
            column += (columns - min(columns, len(models) - row[model] * columns)) // 2
            place[model] = x[unit] + (column - (columns - 1) / 2) * slot
            rows[forest.level[unit]] = max(rows.get(forest.level[unit], 1), row[model] + 1)
            if len(models) > 1:
                trunk[model] = x[unit]
    left = min(place[model] - slots[model] / 2 for model in place)
    right = max(place[model] + slots[model] / 2 for model in place)
    depth = max(rows)
    return Drawing(
        x={model: place[model] - left for model in place},
        row=row,
        rows=tuple(rows.get(generation, 1) for generation in range(1, depth + 1)),
        width=right - left,
        trunk={model: trunk[model] - left for model in trunk},
    )
