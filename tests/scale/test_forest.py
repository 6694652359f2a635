"""Spanning forests and their walks, against networkx."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage_graph.scale.forest import components, spanning, walk


def random_pairs(count, share, seed, ties=False):
    generator = np.random.default_rng(seed)
    u, v = np.triu_indices(count, k=1)
    chosen = generator.random(len(u)) < share
    squared = generator.random(chosen.sum())
    return u[chosen], v[chosen], np.round(squared, 1) if ties else squared


def graph_of(count, u, v, squared):
    graph = nx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_weighted_edges_from(zip(u.tolist(), v.tolist(), squared.tolist(), strict=True))
    return graph


@pytest.mark.parametrize("seed", range(6))
def test_the_forest_is_that_of_networkx(seed):
    u, v, squared = random_pairs(30, 0.12, seed)
    chosen = spanning(30, u, v, squared)
    expected = {frozenset(edge) for edge in nx.minimum_spanning_tree(graph_of(30, u, v, squared)).edges}
    assert {frozenset(pair) for pair in zip(u[chosen].tolist(), v[chosen].tolist(), strict=True)} == expected


def test_between_equal_lengths_the_first_pair_counts_and_zeros_are_lengths_like_others():
    u, v = np.array([0, 0, 1]), np.array([1, 2, 2])
    assert spanning(3, u, v, np.zeros(3)).tolist() == [0, 1]
    assert spanning(3, u[::-1], v[::-1], np.zeros(3)).tolist() == [0, 1]


def test_components_are_numbered_by_their_first_nodes():
    assert components(5, np.array([3, 1]), np.array([4, 2])).tolist() == [0, 1, 1, 2, 2]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(0, 10**6))
def test_a_walk_goes_level_by_level(count, seed):
    u, v, squared = random_pairs(count, 3 / count, seed, ties=True)
    chosen = spanning(count, u, v, squared)
    tops = np.zeros(count, bool)
    made = walk(count, u[chosen], v[chosen], tops)
    forest = graph_of(count, u[chosen], v[chosen], squared[chosen])
    assert made.trees == nx.number_connected_components(forest)
    assert sorted(made.order.tolist()) == list(range(count))
    seen = set(np.flatnonzero(made.parent < 0).tolist())
    assert seen == {min(component) for component in nx.connected_components(forest)}
    for nodes in made.downward():
        assert set(made.parent[nodes].tolist()) <= seen
        assert all(forest.has_edge(node, made.parent[node]) for node in nodes.tolist())
        seen = set(nodes.tolist())
    assert made.sums(np.ones(count))[made.parent < 0].sum() == count


def test_a_walk_starts_where_it_is_told():
    made = walk(4, np.array([0, 1]), np.array([1, 2]), np.array([False, False, True, False]))
    assert made.parent.tolist() == [1, 2, -1, -1]
