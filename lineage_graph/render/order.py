"""The one order in which every output lists models and edges, so that the same graph gives the same bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx


def node_order(graph: nx.DiGraph[str]) -> list[str]:
    """Node ids by family, then generation, then id; models that failed (family 0) come last."""
    return sorted(graph, key=lambda n: (graph.nodes[n]["family"] or math.inf, graph.nodes[n]["generation"], n))


def edge_order(graph: nx.DiGraph[str]) -> list[tuple[str, str]]:
    """Edges (parent, child) in the order of their parents, then of their children."""
    rank = {node: index for index, node in enumerate(node_order(graph))}
    return sorted(graph.edges, key=lambda edge: (rank[edge[0]], rank[edge[1]]))


def families(graph: nx.DiGraph[str]) -> dict[int, list[str]]:
    """The members of each family that has at least two, in the common order."""
    members: dict[int, list[str]] = {}
    for node in node_order(graph):
        if graph.nodes[node]["family"]:
            members.setdefault(graph.nodes[node]["family"], []).append(node)
    return {family: nodes for family, nodes in members.items() if len(nodes) > 1}


def loners(graph: nx.DiGraph[str]) -> list[str]:
    """Models that were read and have no relatives in the zoo, in the common order."""
    return [n for n in node_order(graph) if graph.nodes[n]["family"] and graph.degree(n) == 0]


def failed(graph: nx.DiGraph[str]) -> list[str]:
    """Models that could not be used, in the common order."""
    return [n for n in node_order(graph) if not graph.nodes[n]["family"]]


def main_parents(graph: nx.DiGraph[str]) -> dict[str, str]:
    """For each model that has parents the one with the most confident edge; between equals the first in order.

    These edges form a forest that spans every family's trees: what a drawing or a listing hangs the models on.
    """
    best: dict[str, str] = {}
    for parent, child in edge_order(graph):
        confidence = graph.edges[parent, child]["confidence"]
        if child not in best or confidence > graph.edges[best[child], child]["confidence"]:
            best[child] = parent
    return best


def children_of(parents: Mapping[str, str], order: Iterable[str]) -> dict[str, list[str]]:
    """The forest of :func:`main_parents` read downwards; siblings in ``order``, models without children left out."""
    children: dict[str, list[str]] = {}
    for node in order:
        if node in parents:
            children.setdefault(parents[node], []).append(node)
    return children
