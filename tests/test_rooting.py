import itertools
import math
import random

import networkx as nx
import pytest

from lineage_graph.rooting import Conflict, TreeEdge, conflict, root_tree
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


@pytest.mark.parametrize(("together", "expected"), [("", 0.8**2 / (0.8**2 + 0.2**2)), ("drift", 0.8)])
def test_cues_that_reverse_together_are_as_sure_as_one(together, expected):
    cues = [DirectionCue(name, 50.0, sign_prior=0.8, together=together) for name in ("norm", "rank")]
    rooted = root_tree(["a", "b"], [edge("a", "b", *cues)])
    assert rooted.direction_confidence["b"] == pytest.approx(expected)
    assert set(rooted.signs) == ({together} if together else {"norm", "rank"})


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


@pytest.mark.parametrize("cue", [0.0, 2.0])
@pytest.mark.parametrize("odds", [0.25, 3.0])
def test_an_unseen_root_between_two_nodes_is_as_likely_as_its_own_evidence_says(odds, cue):
    """Cues of direction say nothing about it, whatever they say."""
    edges = [TreeEdge("a", "b", (DirectionCue("counter", cue),), math.log(odds))]
    rooted = root_tree(["a", "b"], edges, unseen="u")
    assert rooted.apart[frozenset("ab")] == pytest.approx(odds / (1 + odds))
    assert (rooted.root == "u") == (odds > 1)
    assert root_tree(["a", "b"], edges).root in {"a", "b"}


def test_an_unseen_root_leaves_the_directions_on_both_sides():
    cue = DirectionCue("counter", 6.0)
    edges = [TreeEdge("a", "b", (), math.log(9)), edge("a", "c", cue), edge("b", "d", cue)]
    rooted = root_tree(list("abcd"), edges, unseen="u")
    assert rooted.parent == {"a": "u", "b": "u", "c": "a", "d": "b"}
    assert min(rooted.direction_confidence.values()) > 0.9


def test_an_edge_far_from_the_root_holds_no_unseen_root():
    cue = DirectionCue("counter", 8.0)
    edges = [edge("a", "b", cue), edge("b", "c", cue), TreeEdge("c", "d", (cue,), 0.0)]
    rooted = root_tree(list("abcd"), edges, unseen="u")
    assert rooted.root == "a"
    assert rooted.apart[frozenset("cd")] < 0.01


def test_a_known_root_needs_no_evidence():
    rooted = root_tree(list("abc"), [edge("a", "b", DirectionCue("counter", 9.0)), edge("b", "c")], root="c")
    assert rooted.parent == {"b": "c", "a": "b"}
    assert set(rooted.direction_confidence.values()) == {1.0}


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_sign_that_a_family_shows_is_told(sign):
    cues = (DirectionCue("norm", sign * 2.0, sign_prior=0.5), DirectionCue("counter", 4.0))
    rooted = root_tree(list("habc"), [edge("h", leaf, *cues) for leaf in "abc"])
    assert (rooted.signs["norm"] > 0.9) == (sign > 0)
    assert "counter" not in rooted.signs


def test_conflicting_cues_are_named_as_far_as_their_sign_is_certain():
    cues = (DirectionCue("date", 3.0), DirectionCue("counter", 1.0), DirectionCue("norm", 2.0, sign_prior=0.6))
    assert conflict(cues, 1.0, {"norm": 0.0}) == Conflict(cues[0], DirectionCue("norm", -2.0, 0.6))
    assert conflict(cues[:2], -1.0, {}) == Conflict(None, DirectionCue("date", -3.0))
    assert conflict((), 1.0, {}) == Conflict(None, None)
