"""Large graphs: families that are folded until a reader opens one. Each is laid out by itself; the page puts what is
open between what is folded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lineage_graph.render import order
from lineage_graph.render.layout import Layout, arrange

if TYPE_CHECKING:
    import networkx as nx

FOLDED = 1000
"""The most models that are drawn at once: of more, on a usual screen, none has room for its name."""

ALONE, FAILED = 0, -1
"""In place of the number of a family: models without relatives, models that could not be read."""


def is_folded(graph: nx.DiGraph[str]) -> bool:
    """Is the graph too large to be drawn as a whole?"""
    return len(graph) > FOLDED


def parts(graph: nx.DiGraph[str]) -> dict[int, list[str]]:
    """The models of each family by its number, then those of ``ALONE`` and ``FAILED``; every model is in one part.

    Parts without models are left out.
    """
    found = order.families(graph)
    placed = {node for members in found.values() for node in members}
    rest: dict[int, list[str]] = {ALONE: [], FAILED: []}
    for node in order.node_order(graph):
        if node not in placed:
            rest[ALONE if graph.nodes[node]["family"] else FAILED].append(node)
    return found | {number: members for number, members in rest.items() if members}


def layouts(graph: nx.DiGraph[str], slots: Mapping[str, float], aspect: float) -> dict[int, Layout]:
    """Each of the :func:`parts` as it stands when it is open, from its own corner; see ``layout.arrange``."""
    effort = min(1.0, FOLDED / max(len(graph), 1))  # the whole takes as long as the largest graph that is not folded
    return {
        number: arrange(graph.subgraph(members).copy(), slots, aspect, effort)
        for number, members in parts(graph).items()
    }
