"""Nearest neighbour and minimum spanning tree on weight distance: what anyone would try first.

The spanning tree joins each model to its nearest; its longest edges are cut until as many families are left as there
are. The root of a family is its medoid, the member from which the way to all others along the tree is shortest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from lineage_graph.bench.references.weights import WeightZoo

if TYPE_CHECKING:
    import networkx as nx


def build(zoo: WeightZoo) -> nx.DiGraph[str]:
    """The families' spanning trees, rooted at their medoids."""
    import networkx as nx

    forest = spanning_forest(zoo, range(len(zoo)))
    longest = sorted(forest.edges, key=lambda edge: -zoo.distance[edge])
    forest.remove_edges_from(longest[: max(zoo.families - nx.number_connected_components(forest), 0)])
    roots = [_medoid(forest.subgraph(members)) for members in nx.connected_components(forest)]
    return rooted(zoo, forest, roots)


def spanning_forest(zoo: WeightZoo, members: Iterable[int]) -> nx.Graph[int]:
    """The minimum spanning tree of ``members``, or a tree for each part of them that can be compared."""
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(members)
    for i, j in combinations(list(graph), 2):
        if zoo.distance[i, j] < float("inf"):
            graph.add_edge(i, j, weight=float(zoo.distance[i, j]))
    return nx.minimum_spanning_tree(graph)


def rooted(zoo: WeightZoo, forest: nx.Graph[int], roots: Iterable[int]) -> nx.DiGraph[str]:
    """The forest with every edge turned away from the root of its tree, in the zoo's ids."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(zoo.ids)
    for root in roots:
        for parent, child in nx.bfs_edges(forest, root):
            graph.add_edge(zoo.ids[parent], zoo.ids[child], kind="finetune")
    return graph


def _medoid(tree: nx.Graph[int]) -> int:
    import networkx as nx

    ways: Iterable[tuple[int, Mapping[int, float]]] = nx.all_pairs_dijkstra_path_length(tree)
    return min((sum(lengths.values()), node) for node, lengths in ways)[1]
