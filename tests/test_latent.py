"""Planted additive trees: distances are exact, so the tree must be found exactly, unseen nodes and all."""

import math
import random

import networkx as nx
import pytest

from lineage_graph.descent import unseen_names
from lineage_graph.gromov import Relation
from lineage_graph.latent import latent_tree
from lineage_graph.types import DirectionCue


def found(tree, hidden, measured=lambda a, b: True, cues=lambda a, b: ()):
    """(present nodes, relations, latent tree) of an additive tree with weights, without the ``hidden`` nodes."""
    squared = dict(nx.all_pairs_dijkstra_path_length(tree))
    nodes = [node for node in tree if node not in hidden]
    pairs = [(a, b) for i, a in enumerate(nodes) for b in nodes[i + 1 :]]
    complete = nx.Graph()
    complete.add_nodes_from(nodes)
    complete.add_weighted_edges_from((a, b, squared[a][b]) for a, b in pairs)
    spanning = list(nx.minimum_spanning_tree(complete).edges)
    relations = [
        Relation(a, b, squared[a][b], cues(a, b))
        for a, b in pairs
        if measured(a, b) or (a, b) in spanning or (b, a) in spanning
    ]
    return nodes, relations, latent_tree(nodes, relations, spanning, unseen_names(nodes))


def as_graph(latent):
    return nx.Graph([(edge.u, edge.v, {"weight": edge.squared}) for edge in latent.edges])


def planted(seed):
    """A random tree whose nodes have two to four children, or none; its inner nodes can be hidden."""
    generator = random.Random(seed)
    tree, waiting, number = nx.Graph(), ["n0"], 1
    while number < 22:
        parent = waiting.pop(0)
        for _ in range(generator.randint(2, 4)):
            tree.add_edge(parent, f"n{number}", weight=generator.uniform(0.008, 0.012))
            waiting.append(f"n{number}")
            number += 1
    inner = [node for node in tree if tree.degree(node) > 2]
    return tree, inner


@pytest.mark.parametrize("seed", range(6))
def test_a_whole_family_stays_as_it_is(seed):
    tree, _ = planted(seed)
    *_, latent = found(tree, set())
    assert latent.unseen == {}
    assert {frozenset((e.u, e.v)) for e in latent.edges} == {frozenset(e) for e in tree.edges}


@pytest.mark.parametrize("seed", range(6))
def test_one_missing_ancestor_is_found_where_it_was(seed):
    tree, inner = planted(seed)
    gone = inner[seed % len(inner)]
    nodes, _, latent = found(tree, {gone})
    (unseen,) = latent.unseen
    assert 0.5 <= latent.unseen[unseen] <= 1
    graph = as_graph(latent)
    assert nx.utils.graphs_equal(nx.Graph(graph.edges), nx.Graph(nx.relabel_nodes(tree, {gone: unseen}).edges))
    squared = dict(nx.all_pairs_dijkstra_path_length(graph))
    true = dict(nx.all_pairs_dijkstra_path_length(tree))
    assert all(squared[a][b] == pytest.approx(true[a][b]) for a in nodes for b in nodes)


def test_two_hubs_beside_one_unseen_node_find_the_same():
    """Noise may make a chain of a star; what both of its inner nodes find is one node."""
    siblings = list("abcd")
    relations = [Relation(x, y, 0.02) for x in siblings for y in siblings if x < y]
    chain = [("a", "b"), ("b", "c"), ("c", "d")]
    latent = latent_tree(siblings, relations, chain, unseen_names(()))
    (unseen,) = latent.unseen
    assert {frozenset((e.u, e.v)) for e in latent.edges} == {frozenset((unseen, x)) for x in siblings}


def test_unmeasured_pairs_hide_no_unseen_node():
    star = nx.Graph([("u", x, {"weight": 0.01 + index / 1e4}) for index, x in enumerate("abcdef")])
    near = {"a", "b"}
    *_, latent = found(star, {"u"}, measured=lambda x, y: bool(near & {x, y}))
    assert len(latent.unseen) == 1


def test_cues_of_siblings_weigh_no_more_than_that_one_of_them_is_the_first():
    star = nx.Graph([("u", x, {"weight": 0.01}) for x in "abcd"])
    *_, latent = found(star, {"u"}, cues=lambda x, y: (DirectionCue("counter", 3.0),))
    (unseen,) = latent.unseen
    outwards = {e.u if e.v == unseen else e.v: e.cues[0].log_odds * (1 if e.v == unseen else -1) for e in latent.edges}
    assert outwards["a"] == pytest.approx(math.log(4))
    assert outwards["d"] == pytest.approx(-3.0)


def test_present_pairs_keep_their_cues_along_the_edge():
    tree = nx.Graph([("a", "b", {"weight": 0.01})])
    *_, latent = found(tree, set(), cues=lambda x, y: (DirectionCue("counter", 2.0),))
    (edge,) = latent.edges
    assert edge.cues[0].log_odds == (2.0 if edge.u == "a" else -2.0)
    assert set(edge.pair) == {"a", "b"}
