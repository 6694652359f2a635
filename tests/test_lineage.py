"""Assembly on planted additive trees: distances are exact, so the tree must be found exactly."""

import dataclasses
import math
import random
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from fingerprints import model
from lineage_graph.joining import joined
from lineage_graph.kinship import Blend, Splice
from lineage_graph.lineage import LineageSettings, draw
from lineage_graph.types import DirectionCue, Failure, ScoredPair

SETTINGS = LineageSettings(threshold=0.5)


def assemble(name, zoo, pairs, failures, settings, several=()):
    """The graph of a zoo that is one part."""
    return joined(name, zoo, [draw(zoo, pairs, settings, several)], failures)


def weights(seed):
    return {"w": np.random.default_rng(seed).standard_normal((4, 4))}


def models(names, **claims):
    return [model(name, weights(index), **claims.get(name, {})) for index, name in enumerate(names)]


def pair(a, b, distance, kind="finetune", confidence=0.99, cues=()):
    return ScoredPair(a, b, kind, confidence, distance, tuple(cues), {"cosine": 0.9})


def planted(seed, size=14):
    """A random tree with orthogonal updates: (models, all pairs with a counter cue, true edges)."""
    generator = random.Random(seed)
    names = [f"m{i}" for i in range(size)]
    parent = {names[i]: names[generator.randrange(i)] for i in range(1, size)}
    tree = nx.DiGraph((p, c, {"weight": generator.uniform(0.01, 0.3)}) for c, p in parent.items())
    squared = dict(nx.all_pairs_dijkstra_path_length(tree.to_undirected()))
    depth = nx.single_source_shortest_path_length(tree, names[0])
    pairs = []
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            cue = DirectionCue("counter", 6.0 * (depth[b] - depth[a]))
            pairs.append(pair(a, b, math.sqrt(squared[a][b]), cues=[cue]))
    return models(names), pairs, set(tree.edges)


@pytest.mark.parametrize("seed", range(8))
def test_an_additive_tree_with_counters_is_found_whole(seed):
    zoo, pairs, edges = planted(seed)
    graph = assemble("zoo", zoo, pairs, [], SETTINGS).graph
    assert set(graph.edges) == edges
    assert all(0.5 <= data["direction_confidence"] <= 1 for *_, data in graph.edges(data=True))


@pytest.mark.parametrize("seed", range(8))
def test_names_and_order_change_nothing_but_the_names(seed):
    zoo, pairs, _ = planted(seed)
    generator = random.Random(seed)
    renamed = {m.id: name for m, name in zip(zoo, generator.sample(range(10**6), len(zoo)), strict=True)}
    renamed = {old: f"x{new}" for old, new in renamed.items()}
    shuffled = [dataclasses.replace(m, checkpoint=dataclasses.replace(m.checkpoint, id=renamed[m.id])) for m in zoo]
    generator.shuffle(shuffled)
    moved = [dataclasses.replace(p, a=renamed[p.a], b=renamed[p.b]) for p in generator.sample(pairs, len(pairs))]
    expected = assemble("zoo", zoo, pairs, [], SETTINGS).graph
    found = assemble("zoo", shuffled, moved, [], SETTINGS).graph
    expected = nx.relabel_nodes(expected, renamed)
    for _, data in [*expected.nodes(data=True), *found.nodes(data=True)]:
        del data["label"]
    assert dict(found.nodes(data=True)) == dict(expected.nodes(data=True))
    assert {(u, v): d for u, v, d in found.edges(data=True)} == {(u, v): d for u, v, d in expected.edges(data=True)}


def test_without_a_related_pair_every_model_is_isolated():
    zoo = models("ab")
    graph = assemble("zoo", zoo, [pair("a", "b", 1.4, confidence=0.01)], [], SETTINGS).graph
    assert graph.number_of_edges() == 0
    assert {data["role"] for _, data in graph.nodes(data=True)} == {"isolated"}
    assert {data["generation"] for _, data in graph.nodes(data=True)} == {1}


def test_a_rejected_pair_is_kept_with_its_reason():
    miss = dataclasses.replace(pair("a", "b", 1.4, confidence=0.4), reason="too far")
    (rejected,) = assemble("zoo", models("ab"), [miss], [], SETTINGS).rejected
    assert (rejected.a, rejected.b, rejected.reason) == ("a", "b", "too far")


def test_copies_hang_on_one_keeper_and_children_too():
    """Equal weights are equidistant from every child: ties must not scatter the children over the copies."""
    zoo = models("abcd")
    pairs = [pair("a", "b", 0.0, kind="duplicate")]
    pairs += [pair(x, y, 0.1) for x in "ab" for y in "cd"]
    pairs += [pair("c", "d", 0.2)]
    graph = assemble("zoo", zoo, pairs, [], SETTINGS).graph
    hub = next(node for node in "ab" if graph.degree(node) == 3)
    assert {data["kind"] for *_, data in graph.edges(hub, data=True)} | {"duplicate"} == {"finetune", "duplicate"}


def test_a_date_says_which_copy_is_the_original():
    pairs = [pair("a", "b", 0.0, kind="duplicate", cues=[DirectionCue("created", -3.0)])]
    graph = assemble("zoo", models("ab"), pairs, [], SETTINGS).graph
    assert list(graph.edges) == [("b", "a")]
    assert graph.edges["b", "a"]["direction_confidence"] == pytest.approx(1 / (1 + math.exp(-3)))


def test_a_model_that_lost_units_joins_no_others():
    """In the units that it has left, it is nearer to all of them than they are to one another."""
    down = [DirectionCue("counter", 6.0)]
    lost = {"cosine": 0.9, "units_lost": 0.3}
    pairs = [pair("a", "b", 0.3, cues=down), pair("b", "c", 0.3, cues=down), pair("a", "c", 0.42, cues=down)]
    narrow = {"a": 0.2, "b": 0.0, "c": 0.2}
    pairs += [dataclasses.replace(pair(x, "d", d, cues=down), evidence=lost) for x, d in narrow.items()]
    graph = assemble("zoo", models("abcd"), pairs, [], SETTINGS).graph
    assert set(graph.edges) == {("a", "b"), ("b", "c"), ("b", "d")}
    assert graph.edges["b", "d"]["evidence"]["margin"] == 3


def test_an_exact_origin_of_zeros_comes_before_a_nearer_relative():
    down = [DirectionCue("counter", 6.0)]
    pairs = [pair("a", "b", 0.1, cues=down), pair("a", "c", 0.49, cues=down), pair("b", "c", 0.5, cues=down)]
    for exact, parent in ((0.9999, "a"), (1 - 1e-6, "b")):
        pruned = dataclasses.replace(pairs[2], kind="prune", evidence={"cosine": 0.9, "masked": exact})
        masked = [*pairs[:2], pruned]
        assert list(assemble("zoo", models("abc"), masked, [], SETTINGS).graph.predecessors("c")) == [parent]


def test_pairs_of_a_copy_are_pairs_of_its_keeper():
    """Whichever of the copies was measured against the children, the family is the same star."""
    for measured in "ab":
        pairs = [pair("a", "b", 0.0, kind="duplicate")]
        pairs += [pair(measured, child, 0.1, cues=[DirectionCue("counter", 6.0)]) for child in "cd"]
        pairs += [pair("c", "d", 0.2)]
        graph = assemble("zoo", models("abcd"), pairs, [], SETTINGS).graph
        (hub,) = [node for node in "ab" if graph.in_degree(node) == 0]
        assert set(graph.successors(hub)) == set("abcd") - {hub}


def test_a_claim_about_one_copy_is_a_claim_about_all():
    zoo = models("abc", c={"declared_parents": ("b",)})
    pairs = [pair("a", "b", 0.0, kind="duplicate"), pair("a", "c", 0.1, cues=[DirectionCue("counter", 6.0)])]
    graph = assemble("zoo", zoo, pairs, [], SETTINGS).graph
    (parent,) = graph.predecessors("c")
    assert graph.edges[parent, "c"]["declared"] == "confirmed"


def test_copies_without_a_pair_of_their_own_stay_undecided():
    pairs = [pair("a", "b", 0.0, kind="duplicate", cues=[DirectionCue("created", 3.0)])]
    pairs += [pair("b", "c", 0.0, kind="duplicate", cues=[DirectionCue("created", 3.0)])]
    graph = assemble("zoo", models("abc"), pairs, [], SETTINGS).graph
    assert graph.edges["a", "b"]["direction_confidence"] > 0.9
    assert graph.edges["a", "c"]["direction_confidence"] == 0.5


def test_failures_are_nodes_without_family():
    failure = Failure("bad", "TruncatedFileError", "bad: ends early", "fingerprint", "path")
    lineage = assemble("zoo", models("a"), [], [failure], SETTINGS)
    node = lineage.graph.nodes["bad"]
    assert (node["status"], node["family"], node["generation"]) == ("TruncatedFileError", 0, 0)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (("a",), "confirmed"),
        (("c",), "contradicted"),
        ((), "absent"),
        (("elsewhere",), "absent"),
        (("c", "a"), "confirmed"),
    ],
)
def test_claims_are_compared_with_what_was_found(claims, expected):
    zoo = models("abc", b={"declared_parents": claims})
    graph = assemble("zoo", zoo, [pair("a", "b", 0.1, cues=[DirectionCue("counter", 3.0)])], [], SETTINGS).graph
    assert graph.edges["a", "b"]["declared"] == expected


def test_families_are_numbered_by_size_and_generations_from_the_root():
    zoo = models("abcde")
    cue = [DirectionCue("counter", 3.0)]
    pairs = [pair("d", "e", 0.1, cues=cue), pair("a", "b", 0.1, cues=cue), pair("b", "c", 0.1, cues=cue)]
    nodes = assemble("zoo", zoo, pairs, [], SETTINGS).graph.nodes
    assert [(nodes[n]["family"], nodes[n]["generation"]) for n in "abcde"] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]
    assert [nodes[n]["role"] for n in "abcde"] == ["root", "child", "child", "root", "child"]


def merged_family():
    """A root with three children of length 1, the mean of the first two, and a child of that mean: pairs, measured."""
    lengths = {("o", "p"): 1.0, ("o", "q"): 1.0, ("o", "s"): 1.0, ("o", "m"): 0.5, ("p", "m"): 0.5, ("q", "m"): 0.5}
    lengths |= {("p", "q"): 2.0, ("p", "s"): 2.0, ("q", "s"): 2.0, ("s", "m"): 1.5}
    lengths |= {(one, "c"): lengths[tuple(sorted((one, "m"), key="opqsm".index))] + 0.2 for one in "opqs"}
    lengths[("m", "c")] = 0.2
    later = [DirectionCue("counter", 3.0)]
    return [pair(a, b, math.sqrt(squared), cues=later if a == "o" else ()) for (a, b), squared in lengths.items()]


BLEND = Blend("m", "linear", ("p", "q"), (0.5, 0.5), (0.01, 0.01), 0.0, 0.97)


def test_a_merge_has_all_its_parents_and_its_own_descendants():
    graph = assemble("zoo", models("opqsmc"), merged_family(), [], SETTINGS, [BLEND]).graph
    assert set(graph.edges) == {("o", "p"), ("o", "q"), ("o", "s"), ("p", "m"), ("q", "m"), ("m", "c")}
    assert graph.nodes["m"]["role"] == "merge"
    edge = graph.edges["p", "m"]
    assert (edge["kind"], edge["confidence"], edge["direction_confidence"]) == ("merge", 0.97, 0.97)
    assert edge["evidence"]["merge.coefficient"] == 0.5


def test_an_unlikely_merge_is_not_drawn():
    unlikely = dataclasses.replace(BLEND, confidence=0.4)
    graph = assemble("zoo", models("opqsmc"), merged_family(), [], SETTINGS, [unlikely]).graph
    assert graph.number_of_edges() == 5
    assert graph.in_degree("m") <= 1


def test_merges_that_would_close_a_circle_are_not_both_drawn():
    back = dataclasses.replace(BLEND, child="p", parents=("m", "q"))
    graph = assemble("zoo", models("opqsmc"), merged_family(), [], SETTINGS, [BLEND, back]).graph
    assert nx.is_directed_acyclic_graph(graph)
    assert sum(data["kind"] == "merge" for *_, data in graph.edges(data=True)) == 2


def test_the_edges_of_a_splice_say_which_blocks_they_stand_for():
    splice = Splice("m", (("p", ("stem", "blocks.0")), ("q", ("blocks.1",))), 0.9)
    graph = assemble("zoo", models("opqsmc"), merged_family(), [], SETTINGS, [splice]).graph
    assert graph.edges["p", "m"]["layers"] == ["stem", "blocks.0"]
    assert {data["kind"] for *_, data in graph.in_edges("m", data=True)} == {"splice"}


def test_copies_of_a_merge_s_parents_change_nothing():
    copies = [pair("p", "p2", 0.0, kind="duplicate")]
    through_copy = dataclasses.replace(BLEND, parents=("p2", "q"))
    zoo = models(["o", "p", "q", "s", "m", "c", "p2"])
    graph = assemble("zoo", zoo, merged_family() + copies, [], SETTINGS, [through_copy]).graph
    assert graph.in_degree("m") == 2
    assert graph.in_degree("q") == 1


def test_a_base_with_an_adapter_beside_it_does_not_stand_for_the_base():
    """It lies at no distance from the base, and as far from all others."""
    beside = {"adapter_gain": 0.05, "identical": 1.0, "inherited": 1.0}
    adapter = [DirectionCue("adapter_gain", 3.0)]
    wrapped = dataclasses.replace(pair("b", "w", 0.0, kind="adapter", cues=adapter), evidence=beside)
    pairs = [wrapped, pair("a", "b", 0.3, cues=adapter), pair("a", "w", 0.3, kind="adapter", cues=adapter)]
    pairs += [pair("b", "c", 0.2), pair("w", "c", 0.2, kind="adapter")]
    for order in ("abwc", "awbc", "wcab"):
        zoo = models(order)
        assert set(assemble("zoo", zoo, pairs, [], SETTINGS).graph.edges) == {("a", "b"), ("b", "w"), ("b", "c")}


def test_exact_descendants_of_a_model_do_not_descend_from_its_rounded_copy():
    """Pruning leaves the copy's other values as they are, but for the rounding."""
    loss, masked = {"lattice_loss": 10.0}, {"masked": 1.0, "sparsity_gain": 0.5}
    pruned = [DirectionCue("sparsity_gain", 3.0)]
    pairs = [
        dataclasses.replace(pair("o", "q", 1e-4, kind="quantize", cues=[DirectionCue("x", 4.0)]), evidence=loss),
        dataclasses.replace(pair("o", "p", 0.3, kind="prune", cues=pruned), evidence=masked),
        dataclasses.replace(pair("q", "p", 0.3, kind="prune", cues=pruned), evidence=masked),
    ]
    assert set(assemble("zoo", models("oqp"), pairs, [], SETTINGS).graph.edges) == {("o", "q"), ("o", "p")}


def test_a_rounded_copy_does_not_stand_for_its_original():
    """The copy is nearer to the child by chance; rounding says that it is nobody's parent."""
    loss = {"lattice_loss": 10.0}
    copy = dataclasses.replace(pair("a", "q", 0.01, kind="quantize", cues=[DirectionCue("x", 4.0)]), evidence=loss)
    later = [DirectionCue("counter", 3.0)]
    pairs = [copy, pair("a", "b", 0.3, cues=later), pair("q", "b", 0.2999, cues=later)]
    assert set(assemble("zoo", models("aqb"), pairs, [], SETTINGS).graph.edges) == {("a", "q"), ("a", "b")}


def test_a_rounded_copy_does_not_hang_on_a_pruned_one():
    """The pruned copy is the rounded one, too, with values set to zero, but for the rounding."""
    loss, masked = {"lattice_loss": 10.0}, {"masked": 1.0, "sparsity_gain": 0.5}
    rounded, pruned = [DirectionCue("x", 4.0)], [DirectionCue("sparsity_gain", 3.0)]
    pairs = [
        dataclasses.replace(pair("o", "q", 1e-3, kind="quantize", cues=rounded), evidence=loss),
        dataclasses.replace(pair("o", "p", 0.3, kind="prune", cues=pruned), evidence=masked),
        dataclasses.replace(pair("p", "q", 0.3, kind="quantize", cues=rounded), evidence=loss | {"masked": -1.0}),
    ]
    assert set(assemble("zoo", models("oqp"), pairs, [], SETTINGS).graph.edges) == {("o", "q"), ("o", "p")}


def alike_family(rest):
    """The mean m of three fine-tunes that learn a quarter alike, and what lies around them by ``rest``."""
    lengths = {frozenset(ends): 1.5 for ends in ("pq", "ps", "qs")}
    lengths |= {frozenset((one, "m")): 0.5 for one in "pqs"} | rest
    detected = [DirectionCue("detector", 1.7)]
    return [
        pair(*sorted(ends, key="mopqsc".index), math.sqrt(squared), cues=detected if "m" in ends else ())
        for ends, squared in lengths.items()
    ]


MEAN = Blend("m", "linear", ("p", "q", "s"), (1 / 3,) * 3, (0.01,) * 3, 0.0, 0.97)


def test_the_only_origin_of_a_merge_s_parents_does_not_descend_from_it():
    """What the parents learn alike lies in the merge, too, and makes their origin nearest to it."""
    rest = {frozenset(("o", one)): 1.0 for one in "pqs"} | {frozenset("om"): 0.5}
    graph = assemble("zoo", models("opqsm"), alike_family(rest), [], SETTINGS, [MEAN]).graph
    assert set(graph.predecessors("m")) == set("pqs")
    assert {frozenset(edge) for edge in graph.edges if "m" not in edge} == {frozenset(("o", one)) for one in "pqs"}


def test_beside_the_origin_a_merge_keeps_its_descendant():
    rest = {frozenset(("o", one)): 1.0 for one in "pqs"} | {frozenset("om"): 0.5, frozenset("cm"): 0.4}
    rest |= {frozenset(("c", one)): 0.9 for one in "opqs"}
    graph = assemble("zoo", models("opqsmc"), alike_family(rest), [], SETTINGS, [MEAN]).graph
    assert list(graph.predecessors("c")) == ["m"]


def beside(near, others):
    """Pairs of all names: those that are ``near``, and the others, x and y a little farther from everybody."""
    far = [(a, b) for a, b in combinations(others, 2) if (a, b) not in near]
    return [pair(*ends, 0.1) for ends in near] + [pair(a, b, 1.1 if {a, b} & {"x", "y"} else 1.0) for a, b in far]


def test_who_a_splice_s_source_was_put_together_from_does_not_descend_from_it():
    """x is nearest to n, which is partly m's, which is partly x's."""
    splices = [Splice("m", (("x", ("a",)), ("p", ("b",))), 0.9), Splice("n", (("m", ("a",)), ("q", ("b",))), 0.9)]
    graph = assemble("zoo", models("pqxmn"), beside([("x", "n")], "pqxmn"), [], SETTINGS, splices).graph
    assert nx.is_directed_acyclic_graph(graph)
    assert set(graph.predecessors("m")) == {"x", "p"}
    assert set(graph.predecessors("n")) == {"m", "q"}


def test_of_splices_that_descend_from_one_another_s_descendants_the_surer_is_drawn():
    splices = [Splice("m", (("y", ("a",)), ("p", ("b",))), 0.9), Splice("n", (("x", ("a",)), ("q", ("b",))), 0.8)]
    near = [("x", "m"), ("y", "n")]
    graph = assemble("zoo", models("pqxymn"), beside(near, "pqxymn"), [], SETTINGS, splices).graph
    assert nx.is_directed_acyclic_graph(graph)
    assert set(graph.predecessors("m")) == {"y", "p"}
    assert graph.in_degree("n") <= 1
