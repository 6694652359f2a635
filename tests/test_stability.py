"""Alternatives to tree edges, against removing each edge and looking at every pair."""

import math
import random

import networkx as nx
import pytest

from lineage_graph.stability import MOST, alternatives, margin
from lineage_graph.types import ScoredPair


def pair(a, b, distance):
    return ScoredPair(a, b, "finetune", 1.0, distance, (), {})


@pytest.mark.parametrize("seed", range(12))
def test_alternatives_are_those_of_brute_force(seed):
    generator = random.Random(seed)
    graph = nx.gnp_random_graph(14, 0.4, seed=seed)
    names = nx.relabel_nodes(graph, {node: f"m{node}" for node in graph})
    for _, _, data in names.edges(data=True):
        data["weight"] = generator.uniform(0.1, 2.0)
    tree = nx.minimum_spanning_tree(names)
    edges = [pair(a, b, data["weight"]) for a, b, data in tree.edges(data=True)]
    found = alternatives(edges, [pair(a, b, data["weight"]) for a, b, data in names.edges(data=True)])
    for a, b in tree.edges:
        without = nx.Graph(tree)
        without.remove_edge(a, b)
        side = nx.node_connected_component(without, a)
        crossing = [
            data["weight"] for u, v, data in names.edges(data=True) if ((u in side) != (v in side)) and {u, v} != {a, b}
        ]
        assert found[frozenset((a, b))] == min(crossing, default=math.inf)


def test_pairs_outside_the_trees_change_nothing():
    assert alternatives([pair("a", "b", 1.0)], [pair("a", "x", 0.1), pair("x", "y", 0.1)]) == {
        frozenset("ab"): math.inf
    }


def test_pairs_between_two_trees_stand_in_for_no_edge():
    edges = [pair("a", "b", 1.0), pair("c", "d", 1.0)]
    assert set(alternatives(edges, [pair("a", "c", 0.1)]).values()) == {math.inf}


def test_the_margin_is_bounded():
    assert margin(1.0, math.e**0.5) == pytest.approx(1.0)
    assert margin(1.0, math.inf) == margin(0.0, 1.0) == margin(1.0, 1e9) == MOST
    assert margin(1.0, 1.0) == margin(1.0, 0.5) == margin(1.0, 0.0) == 0.0
