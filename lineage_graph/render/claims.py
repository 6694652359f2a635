"""Declared parents beside the detected ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx


def verdict(graph: nx.DiGraph[str], node: str, claim: str) -> str:
    """What the edges say of one claim: drawn, another one drawn in its place, or neither."""
    if graph.has_edge(claim, node):
        return "confirmed"
    drawn = {edge["declared"] for *_, edge in graph.in_edges(node, data=True)}
    return "contradicted" if "contradicted" in drawn or graph.has_edge(node, claim) else "absent"


def whereabouts(graph: nx.DiGraph[str], node: str, claim: str) -> str:
    """Why a declared parent has no edge, where the graph tells; otherwise empty."""
    if claim not in graph:
        return "not in the zoo"
    if graph.has_edge(node, claim):
        return "detected the other way round"
    return "" if graph.nodes[claim]["status"] == "ok" else "could not be used"
