import itertools
import math
import random

import networkx as nx
import pytest

from lineage_graph.descent import apart, descend, unseen_names
from lineage_graph.types import DirectionCue, ScoredPair


def pair(a, b, squared, cue=0.0, kind="finetune", **evidence):
    cues = (DirectionCue("counter", cue),) if cue else ()
    return ScoredPair(a, b, kind, 0.99, math.sqrt(squared), cues, evidence)


def parents(result):
    return {edge.child: edge.parent for edge in result.edges}


def siblings(names, **evidence):
    return [pair(a, b, 0.02, **evidence) for a, b in itertools.combinations(names, 2)]


def test_names_of_unseen_nodes_pass_over_those_of_models():
    assert list(itertools.islice(unseen_names({"unseen-2"}), 2)) == ["unseen-1", "unseen-3"]


def test_a_model_alone_is_its_own_root():
    result = descend(["a"], [], [], unseen_names(()))
    assert (result.root, result.unseen, result.edges) == ("a", {}, ())


def test_siblings_descend_from_one_unseen_node():
    pairs = siblings("abcd")
    result = descend(list("abcd"), pairs, pairs[:3], unseen_names("abcd"))
    assert parents(result) == dict.fromkeys("abcd", "unseen-1")
    assert result.root == "unseen-1"
    assert {round(edge.squared, 9) for edge in result.edges} == {0.01}
    assert all(edge.pair[1] == edge.child for edge in result.edges)


def test_children_of_a_present_parent_stay_its_children():
    pairs = [pair("p", child, 0.01, cue=3.0) for child in "abc"] + siblings("abc")
    result = descend(list("pabc"), pairs, pairs[:3], unseen_names(()))
    assert parents(result) == dict.fromkeys("abc", "p")
    assert result.unseen == {}


def test_two_models_are_parent_and_child_unless_something_says_that_they_are_siblings():
    models, names = ["a", "b"], unseen_names(())
    plain = [pair("a", "b", 0.01, cue=2.0)]
    result = descend(models, plain, plain, names)
    assert parents(result) == {"b": "a"}
    (edge,) = result.edges
    assert edge.apart == pytest.approx(0.2)
    equal = [pair("a", "b", 0.01, init_drift=0.0, norm_growth=0.1, counters_equal=1.0)]
    result = descend(models, equal, equal, names)
    assert parents(result) == {"a": "unseen-1", "b": "unseen-1"}
    assert result.unseen["unseen-1"] > 0.9
    assert [edge.pair for edge in result.edges] in ([("a", "b"), ("b", "a")], [("b", "a"), ("a", "b")])


def test_a_quantised_model_is_never_a_sibling_of_its_origin():
    assert apart("quantize", {"counters_equal": 1.0}) == -math.inf
    same = [pair("a", "b", 0.01, kind="quantize", cue=2.0, init_drift=0.0, counters_equal=1.0)]
    assert parents(descend(["a", "b"], same, same, unseen_names(()))) == {"b": "a"}


def test_signals_of_siblings_are_near_zero_whichever_side_comes_first():
    assert apart("finetune", {"init_drift": 0.1}) > 0 > apart("finetune", {"init_drift": -2.0})
    assert apart("finetune", {"norm_growth": 0.5}) == apart("finetune", {"norm_growth": -0.5})
    assert apart("snapshot", {"counters_equal": 0.0}) == apart("snapshot", {}) == 0.0


def test_an_unseen_node_surely_below_a_model_gives_way():
    """p → u → {a, b, c}, with u unseen and p a child of g: counters say so."""
    squared = {"a": 0.02, "b": 0.02, "c": 0.02}
    pairs = [pair("p", child, value, cue=9.0) for child, value in squared.items()]
    pairs += siblings("abc")
    pairs += [pair("g", "p", 0.01, cue=9.0)] + [pair("g", child, 0.03, cue=9.0) for child in "abc"]
    tree = [p for p in pairs if {p.a, p.b} in ({"g", "p"}, {"p", "a"}, {"a", "b"}, {"a", "c"})]
    result = descend(list("gpabc"), pairs, tree, unseen_names(()))
    assert parents(result) == {"p": "g", "a": "p", "b": "p", "c": "p"}
    assert result.unseen == {}
    assert {edge.child: round(edge.squared, 9) for edge in result.edges}["b"] == 0.02


def test_a_root_that_is_known_stays_the_root():
    pairs = [pair("a", "b", 0.01, cue=-5.0, counters_equal=1.0, init_drift=0.0)]
    result = descend(["a", "b"], pairs, pairs, unseen_names(()), root="a")
    assert parents(result) == {"b": "a"}
    assert result.edges[0].direction == 1.0
    assert result.edges[0].conflict.best_against == DirectionCue("counter", -5.0)
    assert result.edges[0].conflict.best_for is None


@pytest.mark.parametrize("seed", range(5))
def test_every_result_is_a_tree_that_does_not_depend_on_names(seed):
    generator = random.Random(seed)
    nodes = [f"m{index}" for index in range(9)]
    pairs = [
        pair(a, b, generator.uniform(0.01, 0.03), cue=generator.gauss(0, 2), init_drift=generator.gauss(0, 1))
        for a, b in itertools.combinations(nodes, 2)
    ]
    graph = nx.Graph([(p.a, p.b, {"weight": p.distance, "pair": p}) for p in pairs])
    tree = [data["pair"] for *_, data in nx.minimum_spanning_tree(graph).edges(data=True)]
    result = descend(nodes, pairs, tree, unseen_names(nodes))
    assert nx.is_arborescence(nx.DiGraph((edge.parent, edge.child) for edge in result.edges))
    assert all(0.5 <= edge.direction <= 1 and edge.squared >= 0 for edge in result.edges)
    new = {node: f"x{generator.random()}" for node in nodes}
    moved = {id(p): ScoredPair(new[p.a], new[p.b], p.kind, 0.99, p.distance, p.direction, p.evidence) for p in pairs}
    shuffled = generator.sample(pairs, len(pairs))
    again = descend(
        [new[n] for n in nodes], [moved[id(p)] for p in shuffled], [moved[id(p)] for p in tree], unseen_names(())
    )
    assert {new.get(c, c): new.get(p, p) for c, p in parents(result).items()} == parents(again)


def test_a_sibling_that_looks_like_the_first_is_none_for_that():
    """One of the four has counted less; that makes it no ancestor of the others."""
    pairs = [pair(a, b, 0.02, cue=0.6 if a == "a" else 0.0) for a, b in itertools.combinations("abcd", 2)]
    result = descend(list("abcd"), pairs, pairs[:3], unseen_names("abcd"))
    assert parents(result) == dict.fromkeys("abcd", "unseen-1")
    assert result.root == "unseen-1"
