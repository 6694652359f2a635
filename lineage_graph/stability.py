"""How firmly each edge of a minimum spanning tree is there: the next best edge that could stand in its place.

Replacing an edge by the cheapest other one across the same cut is the smallest change to the tree without it
(sensitivity analysis of minimum spanning trees, Tarjan 1982). Where the two are about as long, either could be right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from lineage_graph.types import ScoredPair

Key = frozenset[str]

MOST = 3.0
"""Margins beyond say no more: the alternative is over four times as far."""


def alternatives(edges: Sequence[ScoredPair], pairs: Iterable[ScoredPair]) -> dict[Key, float]:
    """For each edge of a tree: the distance of the nearest other pair that joins its two sides; ∞ where none does.

    Each pair outside the tree, the nearest first, stands in for all edges on the way between its ends that none has
    stood in for yet; these are then contracted, so the whole takes little more than sorting the pairs.
    """
    parent, depth = _rooted(edges)
    found = {frozenset((pair.a, pair.b)): math.inf for pair in edges}
    top = {node: node for node in depth}
    outside = (p for p in pairs if p.a in depth and p.b in depth and frozenset((p.a, p.b)) not in found)
    for pair in sorted(outside, key=lambda p: p.distance):
        a, b = _highest(pair.a, top), _highest(pair.b, top)
        while a != b:
            a, b = (a, b) if depth[a] >= depth[b] else (b, a)
            if a not in parent:
                break  # two trees: no way between them
            found[frozenset((a, parent[a]))] = pair.distance
            top[a] = parent[a]
            a = _highest(a, top)
    return found


def _rooted(edges: Sequence[ScoredPair]) -> tuple[dict[str, str], dict[str, int]]:
    """Each node's parent under an arbitrary root of its tree, and its depth."""
    around: dict[str, list[str]] = {}
    for pair in edges:
        around.setdefault(pair.a, []).append(pair.b)
        around.setdefault(pair.b, []).append(pair.a)
    parent: dict[str, str] = {}
    depth: dict[str, int] = {}
    for root in around:
        if root in depth:
            continue
        depth[root] = 0
        order = [root]
        for node in order:
            for neighbour in around[node]:
                if neighbour not in depth:
                    parent[neighbour], depth[neighbour] = node, depth[node] + 1
                    order.append(neighbour)
    return parent, depth


def _highest(node: str, top: dict[str, str]) -> str:
    """The upper end of what ``node`` was contracted into; halves the ways on the way."""
    while top[node] != node:
        top[node] = top[top[node]]
        node = top[node]
    return node


def margin(distance: float, alternative: float) -> float:
    """Ln of the squared alternative over the squared distance: 0 where either could be right; at most ``MOST``."""
    if distance <= 0 or math.isinf(alternative):
        return MOST
    return min(2 * math.log(alternative / distance), MOST) if alternative > distance else 0.0
