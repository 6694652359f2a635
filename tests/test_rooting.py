import itertools
import math
import random

import networkx as nx
import pytest

from lineage_graph.rooting import TreeEdge, root_tree
from lineage_graph.types import DirectionCue


def edge(u, v, *cues):
    return TreeEdge(u, v, tuple(cues))


def test_a_single_node_is_its_own_root():
    rooted = root_tree(["a"], [])
    assert (rooted.root, rooted.parent, rooted.direction_confidence) == ("a", {}, {})


def test_two_nodes_without_cues_stay_undecided():
    rooted = root_tree(["a", "b"], [edge("a", "b")])
    assert rooted.direction_confidence["b"] == pytest.approx(0.5)


@pytest.mark.parametrize("log_odds", [2.0, -2.0])
def test_one_edge_follows_its_cue_with_its_probability(log_odds):
    rooted = root_tree(["a", "b"], [edge("a", "b", DirectionCue("counter", log_odds))])
    child = "b" if log_odds > 0 else "a"
    assert rooted.root != child
    assert rooted.direction_confidence[child] == pytest.approx(1 / (1 + math.exp(-2)))


def test_a_cue_of_unknown_sign_says_nothing_about_one_edge():
    rooted = root_tree(["a", "b"], [edge("a", "b", DirectionCue("norm", 3.0, sign_prior=0.5))])
    assert max(rooted.direction_confidence.values()) == pytest.approx(0.5)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_cue_of_unknown_sign_finds_the_hub_of_a_star_whichever_its_sign(sign):
    cue = DirectionCue("norm", sign * 2.0, sign_prior=0.5)
    rooted = root_tree(list("habcd"), [edge("h", leaf, cue) for leaf in "abcd"])
    assert rooted.root == "h"
    assert min(rooted.direction_confidence.values()) > 0.9


def test_a_sign_that_is_likely_beforehand_says_a_little_about_one_edge():
    rooted = root_tree(["a", "b"], [edge("a", "b", DirectionCue("norm", 50.0, sign_prior=0.7))])
    assert rooted.direction_confidence["b"] == pytest.approx(0.7)


def test_opposing_cues_cancel():
    cues = (DirectionCue("one", 2.0), DirectionCue("two", -2.0))
    rooted = root_tree(["a", "b"], [edge("a", "b", *cues)])
    assert rooted.direction_confidence["b"] == pytest.approx(0.5)


def brute_force(nodes, edges):
    """Posterior over roots straight from the definition."""
    tree = nx.Graph([(e.u, e.v) for e in edges])
    scores = {}
    for root in nodes:
        depth = nx.single_source_shortest_path_length(tree, root)
        directed = nx.bfs_tree(tree, root)
        score = math.lgamma(len(nodes) + 1)
        for node in nodes:
            score -= math.log(1 + len(nx.descendants(directed, node)))
        for name in {c.name for e in edges for c in e.cues}:
            support, prior = 0.0, 1.0
            for e in edges:
                for cue in e.cues:
                    if cue.name == name:
                        support += cue.log_odds / 2 * (1 if depth[e.u] < depth[e.v] else -1)
                        prior = cue.sign_prior
            score += math.log(prior * math.exp(support) + (1 - prior) * math.exp(-support))
        scores[root] = math.exp(score)
    total = sum(scores.values())
    return {root: value / total for root, value in scores.items()}


@pytest.mark.parametrize("seed", range(20))
def test_directions_agree_with_a_brute_force_posterior(seed):
    generator = random.Random(seed)
    nodes = [f"n{i}" for i in range(generator.randint(2, 9))]
    edges = []
    for child, parent in ((i, generator.randrange(i)) for i in range(1, len(nodes))):
        u, v = generator.sample([nodes[child], nodes[parent]], 2)
        cues = (
            DirectionCue("counter", generator.gauss(0, 1)),
            DirectionCue("norm", generator.gauss(0, 2), sign_prior=0.7),
        )
        edges.append(edge(u, v, *cues))
    posterior = brute_force(nodes, edges)
    rooted = root_tree(nodes, edges)
    tree = nx.Graph([(e.u, e.v) for e in edges])
    for child, parent in rooted.parent.items():
        cut = tree.copy()
        cut.remove_edge(parent, child)
        expected = sum(posterior[node] for node in nx.node_connected_component(cut, parent))
        assert rooted.direction_confidence[child] == pytest.approx(expected, abs=1e-9)
        assert expected >= 0.5 - 1e-9


def test_the_order_and_the_orientation_of_the_edges_do_not_matter():
    cue = DirectionCue("counter", 1.0)
    flipped = DirectionCue("counter", -1.0)
    edges = [edge("a", "b", cue), edge("b", "c", cue), edge("b", "d", cue)]
    expected = root_tree(list("abcd"), edges)
    for order in itertools.permutations([edge("b", "a", flipped), *edges[1:]]):
        assert root_tree(list("abcd"), order) == expected
