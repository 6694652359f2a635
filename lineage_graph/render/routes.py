"""The ways of the edges that pass rows of models: between the models, and never through one or its label.

A model and its label stand in a slot, and the slots of a row do not overlap, so that every row can be passed where two
of them meet. Folded siblings are reached from a bus: a trunk in the middle of their grid, and a branch above each row.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lineage_graph.render import order

if TYPE_CHECKING:
    import networkx as nx

Edge = tuple[str, str]
Row = Sequence[tuple[float, float]]
"""Left and right end of each slot of a row, in pixels, from left to right."""

ABOVE, BELOW = 26.0, 32.0
"""What a row takes, from the centre of its models: up to the arrow heads' tails, down to the ends of the labels."""

BRANCH, ENTRY = 32.0, 40.0
"""From the centre of a folded row up to its branch of the bus, and from the first row to where the trunk is entered."""


NEAR = 60.0
"""How far from the wanted place an edge goes straight on rather than aside, in pixels."""

SIDE, BESIDE = 6.0, 5.0
"""How far to either side of its place a lane may go: labels leave that much of their slots; and from one lane to the
next that would lie on it, in pixels.
"""


@dataclass(frozen=True, slots=True)
class Lane:
    """A straight way down at ``x`` from ``top`` to ``bottom``, in pixels."""

    x: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Route:
    """Lanes from top to bottom. ``branch``: the height at which the last lane turns off to the child; or None."""

    lanes: tuple[Lane, ...]
    branch: float | None


def routes(
    graph: nx.DiGraph[str],
    positions: Mapping[str, tuple[float, float]],
    slots: Mapping[str, float],
    trunks: Mapping[str, float],
) -> dict[Edge, Route]:
    """Routes of the edges that cannot go straight from parent to child.

    ``positions``: centres of the models; ``slots``: widths; ``trunks``: where the trunk of each folded model is; all in
    pixels.
    """
    found: dict[Edge, Route] = {}
    for members in order.families(graph).values():
        rows = _rows(members, positions, slots)
        heights = sorted(rows)
        level = {positions[node][1]: int(graph.nodes[node]["generation"]) for node in members}
        first = {level[height]: height for height in reversed(heights)}
        for parent, child in order.edge_order(graph.subgraph(members)):
            (start, top), (end, bottom) = positions[parent], positions[child]
            lanes: list[Lane] = []
            for height in heights[bisect_right(heights, top) : bisect_left(heights, first[level[bottom]])]:
                lanes.append(_lane(rows[height], height, start if level[height] == level[top] else end, lanes))
            if child in trunks:
                lanes.append(Lane(trunks[child], first[level[bottom]] - ENTRY, bottom - BRANCH))
                found[parent, child] = Route(tuple(lanes), bottom - BRANCH)
            elif lanes:
                found[parent, child] = Route(_joined(lanes), None)
    return found | _side_by_side(found, {node: x for node, (x, _) in positions.items()})


def _rows(
    members: Iterable[str], positions: Mapping[str, tuple[float, float]], slots: Mapping[str, float]
) -> dict[float, Row]:
    rows: dict[float, list[tuple[float, float]]] = {}
    for node in members:
        x, y = positions[node]
        rows.setdefault(y, []).append((x - slots[node] / 2, x + slots[node] / 2))
    return {y: sorted(row) for y, row in rows.items()}


def _lane(row: Row, height: float, wanted: float, before: Sequence[Lane]) -> Lane:
    """Past one row, as near to the ``wanted`` place as its models allow; straight on where that is hardly farther."""
    straight = before[-1].x if before else wanted
    if abs(straight - wanted) <= NEAR and _nearest(row, straight) == straight:
        return Lane(straight, height - ABOVE, height + BELOW)
    return Lane(_nearest(row, wanted), height - ABOVE, height + BELOW)


def _nearest(row: Row, x: float) -> float:
    """``x``, or the nearer end of the slot that it is in."""
    at = bisect_right(row, (x, x)) - 1
    return min(row[at], key=lambda end: abs(end - x)) if at >= 0 and x < row[at][1] else x


def _side_by_side(found: Mapping[Edge, Route], x: Mapping[str, float]) -> dict[Edge, Route]:
    """The routes without a branch, with lanes of different parents moved off one another."""
    lanes = {edge: list(route.lanes) for edge, route in found.items() if route.branch is None}
    at: dict[float, list[tuple[Edge, int]]] = {}
    for edge, own in lanes.items():
        for index, lane in enumerate(own):
            at.setdefault(round(lane.x, 1), []).append((edge, index))
    for together in at.values():
        for group in _overlapping(together, lanes):
            parents = sorted({edge[0] for edge, _ in group}, key=lambda parent: (x[parent], parent))
            step = min(BESIDE, 2 * SIDE / max(len(parents) - 1, 1))
            for edge, index in group:
                aside = (parents.index(edge[0]) - (len(parents) - 1) / 2) * step
                lanes[edge][index] = replace(lanes[edge][index], x=lanes[edge][index].x + aside)
    return {edge: Route(tuple(own), None) for edge, own in lanes.items()}


def _overlapping(
    together: Iterable[tuple[Edge, int]], lanes: Mapping[Edge, Sequence[Lane]]
) -> list[list[tuple[Edge, int]]]:
    """Lanes of one place in groups that have some height in common."""
    groups: list[list[tuple[Edge, int]]] = []
    lowest = -math.inf
    for edge, index in sorted(together, key=lambda one: (lanes[one[0]][one[1]].top, one)):
        lane = lanes[edge][index]
        if lane.top >= lowest:
            groups.append([])
        groups[-1].append((edge, index))
        lowest = max(lowest, lane.bottom)
    return groups


def _joined(lanes: Sequence[Lane]) -> tuple[Lane, ...]:
    """Lanes that lie below each other as one."""
    joined = [lanes[0]]
    for lane in lanes[1:]:
        if lane.x == joined[-1].x:
            joined[-1] = Lane(lane.x, joined[-1].top, lane.bottom)
        else:
            joined.append(lane)
    return tuple(joined)
