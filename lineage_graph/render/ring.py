"""The lineage as a ring, after Fig. 5 of "Neural Lineage" (Yu & Wang, CVPR 2024).

Around the circle an arc for each run of one generation (outer ring), an arc for each run of models from the same roots
(middle ring) and a block for each model (inner ring); inside, a curve for each pair of ancestor and descendant up to
three generations apart, bundled along the hierarchy of :mod:`lineage_graph.render.circle`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from lineage_graph.render import ancestry
from lineage_graph.render.bundling import Bezier, Point, spline, straightened
from lineage_graph.render.circle import Circle, Tree, circle

if TYPE_CHECKING:
    import networkx as nx

Value = TypeVar("Value")

DRAWN = 6000
"""Models that are drawn one by one; in a larger zoo each family is one block, and curves are left out."""

TENSION = 0.84
"""Of the bundles, 0 to 1."""

GAP, GAPS = math.radians(2.2), 0.16
"""Between families, in radians; and the most of the circle that all gaps together take."""

TREE_GAP = 0.4
"""Between the trees of a family, in gaps between families."""

ROOT, ROOTS = 0.002, 0.08
"""The least of the circle that a root takes; and the most that all of them take for it."""

APART = 0.2
"""The most of the circle that models without relatives take beside others."""

DEPTH, LEAST_DEPTH, MOST_DEPTH = 0.78, 0.1, 0.92
"""How far bundles leave the rim: so many radii for each radian that a family spans, and bounds."""

SIBLINGS, GENERATIONS = 0.28, 0.5
"""Where bundles of siblings and of generations meet, in parts of the depth of their tree."""


@dataclass(frozen=True, slots=True)
class Arc:
    """Part of a ring: from ``start`` to ``end`` in radians, clockwise from the top."""

    start: float
    end: float

    @property
    def middle(self) -> float:
        """Half way."""
        return (self.start + self.end) / 2


@dataclass(frozen=True, slots=True)
class Block(Arc):
    """``models``: one model; or all of a family, in the order of the circle, where it is folded."""

    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GenerationArc(Arc):
    """``generation``: from 1; 0 for models without relatives."""

    generation: int


@dataclass(frozen=True, slots=True)
class RootArc(Arc):
    """``roots``: what the models descend from, the nearest first; empty for models without relatives."""

    roots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """``inferred``: it ends at or goes through a model that is not in the zoo. ``hubs``: what it is bundled along, by
    number.
    """

    ancestor: str
    descendant: str
    gap: int
    inferred: bool
    hubs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ring:
    """``roots``: of families, in the order of the circle. ``hubs``: points of the hierarchy, in radii of the circle on
    which the curves end; x to the right, y down. ``folded``: blocks are families.
    """

    blocks: tuple[Block, ...]
    generations: tuple[GenerationArc, ...]
    middle: tuple[RootArc, ...]
    roots: tuple[str, ...]
    hubs: tuple[Point, ...]
    curves: tuple[Curve, ...]
    folded: bool


def ring(graph: nx.DiGraph[str], drawn: int = DRAWN) -> Ring:
    """The whole ring; folded where the graph holds more than ``drawn`` models."""
    order = circle(graph)
    places = _places(order)
    trees = [tree for family in order.families.values() for tree in family]
    roots = ancestry.roots(graph, order.main)
    folded = len(graph) > drawn
    hubs = _Hubs(order, places) if not folded else None
    return Ring(
        blocks=tuple(
            _families(graph, order, places) if folded else (Block(a.start, a.end, (n,)) for n, a in places.items())
        ),
        generations=tuple(
            GenerationArc(arc.start, arc.end, value)
            for value, arc in _runs(order, places, {node: graph.nodes[node]["generation"] for node in graph}, 0)
        ),
        middle=tuple(RootArc(arc.start, arc.end, value) for value, arc in _runs(order, places, roots, ())),
        roots=tuple(tree.root for tree in trees),
        hubs=tuple(hubs.points) if hubs else (),
        curves=tuple(_curves(graph, hubs)) if hubs else (),
        folded=folded,
    )


def on_circle(angle: float, radius: float = 1.0) -> Point:
    """The point at ``angle``, in radians clockwise from the top; x to the right, y down."""
    return radius * math.sin(angle), -radius * math.cos(angle)


def way(start: float, end: float, through: Iterable[Point]) -> list[Bezier]:
    """The bundled curve between two angles of the unit circle, along the given hubs."""
    return spline(straightened([on_circle(start), *through, on_circle(end)], TENSION))


def _groups(order: Circle) -> Iterator[tuple[list[str], float]]:
    """Models that stand side by side, and the gap behind them, in gaps between families."""
    for trees in order.families.values():
        for tree in trees:
            yield tree.members, 1.0 if tree is trees[-1] else TREE_GAP
    if order.apart:
        yield list(order.apart), 1.0


def _places(order: Circle) -> dict[str, Arc]:
    """The arc of every model, in order."""
    groups = list(_groups(order))
    gaps = sum(gap for _, gap in groups)
    gap = min(GAP, GAPS * 2 * math.pi / gaps) if len(groups) > 1 else 0.0
    widths = _widths(order)
    unit = (2 * math.pi - gap * gaps) / max(sum(widths.values()), 1)
    places: dict[str, Arc] = {}
    at = gap / 2
    for members, behind in groups:
        for node in members:
            places[node] = Arc(at, at + unit * widths[node])
            at = places[node].end
        at += gap * behind
    return places


def _widths(order: Circle) -> dict[str, float]:
    """Of blocks, in widths of a usual one: roots are wider where they would not be seen, models apart narrower where
    they would crowd out the others.
    """
    trees = [tree for family in order.families.values() for tree in family]
    widths = {node: 1.0 for tree in trees for node in tree.members}
    related = len(widths)
    wide = max(1.0, min(related * ROOT, related * ROOTS / max(len(trees), 1)))
    narrow = min(1.0, APART / (1 - APART) * related / len(order.apart)) if order.apart and related else 1.0
    return widths | dict.fromkeys((tree.root for tree in trees), wide) | dict.fromkeys(order.apart, narrow)


def _families(graph: nx.DiGraph[str], order: Circle, places: Mapping[str, Arc]) -> Iterator[Block]:
    """A block for each family, one for all models without relatives, and one for those that could not be read."""
    apart = [list(group) for _, group in groupby(order.apart, key=lambda node: bool(graph.nodes[node]["family"]))]
    for members in [*([n for tree in trees for n in tree.members] for trees in order.families.values()), *apart]:
        yield Block(places[members[0]].start, places[members[-1]].end, tuple(members))


def _runs(
    order: Circle, places: Mapping[str, Arc], values: Mapping[str, Value], apart: Value
) -> Iterator[tuple[Value, Arc]]:
    """Neighbours without a gap between them that share a value, as one; models apart all have the same one."""
    outside = set(order.apart)
    for members, _ in _groups(order):
        for value, run in groupby(members, key=lambda node: apart if node in outside else values[node]):
            nodes = list(run)
            yield value, Arc(places[nodes[0]].start, places[nodes[-1]].end)


class _Hubs:
    """Points of the hierarchy, and the way up from each model: its siblings, its generation, its tree."""

    def __init__(self, order: Circle, places: Mapping[str, Arc]) -> None:
        self.points: list[Point] = []
        self.above: dict[str, tuple[int, ...]] = {}
        for trees in order.families.values():
            members = [node for tree in trees for node in tree.members]
            whole = _span(members, places)
            for tree in trees:
                self._add(tree, places, _depth(whole) if len(trees) > 1 else 0.0)

    def _add(self, tree: Tree, places: Mapping[str, Arc], family: float) -> None:
        span = _span(tree.members, places)
        depth = _depth(span)
        top = self._point(span.middle, 1 - max(depth, family * 0.9))
        for generation in tree.generations:
            nodes = [node for group in generation.siblings for node in group]
            level = self._point(_span(nodes, places).middle, 1 - GENERATIONS * depth)
            for group in generation.siblings:
                meeting = self._point(_span(group, places).middle, 1 - SIBLINGS * depth)
                self.above.update(dict.fromkeys(group, (meeting, level, top)))

    def _point(self, angle: float, radius: float) -> int:
        self.points.append(on_circle(angle, radius))
        return len(self.points) - 1

    def between(self, ancestor: str, descendant: str) -> tuple[int, ...]:
        """Up from one and down to the other, without the point where the ways meet."""
        up, down = self.above.get(ancestor, ()), self.above.get(descendant, ())
        shared = set(up) & set(down)
        return (*(hub for hub in up if hub not in shared), *(hub for hub in reversed(down) if hub not in shared))


def _span(nodes: Sequence[str], places: Mapping[str, Arc]) -> Arc:
    return Arc(places[nodes[0]].start, places[nodes[-1]].end)


def _depth(span: Arc) -> float:
    return min(max(DEPTH * (span.end - span.start), LEAST_DEPTH), MOST_DEPTH)


def _curves(graph: nx.DiGraph[str], hubs: _Hubs) -> Iterator[Curve]:
    for pair in ancestry.pairs(graph):
        between = hubs.between(pair.ancestor, pair.descendant)
        yield Curve(pair.ancestor, pair.descendant, pair.gap, pair.inferred, between)
