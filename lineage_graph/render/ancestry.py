"""Who descends from whom, up to a few generations: the curves of the ring, and the roots of every model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage_graph.render import order

if TYPE_CHECKING:
    import networkx as nx

FARTHEST = 3
"""Generations between the ends of a pair: parent, grandparent, great-grandparent."""


@dataclass(frozen=True, slots=True)
class Pair:
    """``gap``: edges on the shortest way down from the ancestor, 1 to ``FARTHEST``. ``inferred``: every shortest way
    touches a model that is not in the zoo.
    """

    ancestor: str
    descendant: str
    gap: int
    inferred: bool


def pairs(graph: nx.DiGraph[str]) -> list[Pair]:
    """Every pair up to ``FARTHEST`` generations apart once: by descendant in the common order, then by gap."""
    rank = {node: index for index, node in enumerate(order.node_order(graph))}
    found = []
    for node in rank:
        above = _above(graph, node)
        found += [Pair(one, node, *above[one]) for one in sorted(above, key=lambda one: (above[one][0], rank[one]))]
    return found


def _above(graph: nx.DiGraph[str], node: str) -> dict[str, tuple[int, bool]]:
    """The ancestors of one model: gap, and whether they are inferred."""
    found: dict[str, tuple[int, bool]] = {}
    level = {node: _is_unseen(graph, node)}
    for gap in range(1, FARTHEST + 1):
        upper: dict[str, bool] = {}
        for child, inferred in level.items():
            for parent in graph.predecessors(child):
                if parent not in found:
                    through = inferred or _is_unseen(graph, parent)
                    upper[parent] = upper.get(parent, True) and through
        found |= {parent: (gap, inferred) for parent, inferred in upper.items()}
        level = upper
    return found


def _is_unseen(graph: nx.DiGraph[str], node: str) -> bool:
    return bool(graph.nodes[node]["role"] == "unseen")


def roots(graph: nx.DiGraph[str], main: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The roots that each model descends from, that of its main parent (``main``: child → parent) first.

    A root descends from itself.
    """
    found: dict[str, tuple[str, ...]] = {}
    waiting = {node: graph.in_degree(node) for node in graph}
    ready = [node for node in order.node_order(graph) if not waiting[node]]
    while ready:
        node = ready.pop()
        found[node] = _joined(graph, node, main, found)
        for child in graph.successors(node):
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    return found


def _joined(
    graph: nx.DiGraph[str], node: str, main: Mapping[str, str], found: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    if node not in main:
        return (node,)
    first, *others = sorted(graph.predecessors(node), key=lambda parent: (parent != main[node], found[parent], parent))
    return tuple(dict.fromkeys((*found[first], *(root for parent in others for root in found[parent]))))
