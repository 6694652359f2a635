"""The geometry of the ring."""

import itertools
import math
import random

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage_graph.render import ancestry, order
from lineage_graph.render.circle import circle
from lineage_graph.render.ring import GAPS, on_circle, ring, way
from render.lineages import crowded, demo, edge, finish, grown, joined, node

LINEAGES = {
    "demo": demo,
    "joined": joined,
    "crowded": crowded,
    "grown": lambda: grown(120, 5),
    "pairs": lambda: grown(80, 40, 2),
}


@st.composite
def lineages(draw):
    """Any acyclic graph of up to 25 models with several parents, unseen ones and models without relatives."""
    size = draw(st.integers(0, 25))
    seed = draw(st.integers(0, 2**16))
    rng = random.Random(seed)
    graph = nx.DiGraph()
    for index in range(size):
        graph.add_node(f"m{index}", **node(f"m{index}", role=rng.choice(["child"] * 6 + ["unseen"])))
        for parent in rng.sample(range(index), min(index, rng.choice([0, 0, 1, 1, 1, 2, 3]))):
            graph.add_edge(f"m{parent}", f"m{index}", **edge(confidence=rng.random()))
    return finish("any", graph)


def check(lineage):
    found = ring(lineage.graph)
    drawn = [name for block in found.blocks for name in block.models]
    assert sorted(drawn) == sorted(lineage.graph)
    angles = [angle for block in found.blocks for angle in (block.start, block.end)]
    assert angles == sorted(angles)
    assert all(0 <= angle <= 2 * math.pi + 1e-9 for angle in angles)
    covered = sum(block.end - block.start for block in found.blocks)
    for arcs in (found.generations, found.middle):
        assert sum(arc.end - arc.start for arc in arcs) == pytest.approx(covered)
        assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(arcs))
    if drawn:
        assert covered >= 2 * math.pi * (1 - GAPS) - 1e-9
    return found


def distances(graph):
    """Pairs up to three edges apart, by shortest way, the slow and sure way."""
    away = dict(nx.all_pairs_shortest_path_length(graph, cutoff=3))
    return {(above, below): gap for above, row in away.items() for below, gap in row.items() if gap}


@pytest.mark.parametrize("make", LINEAGES.values(), ids=LINEAGES)
def test_every_model_has_a_block_and_the_arcs_cover_the_circle(make):
    check(make())


@settings(max_examples=60, deadline=None)
@given(lineages())
def test_any_graph(lineage):
    found = check(lineage)
    assert {(c.ancestor, c.descendant): c.gap for c in found.curves} == distances(lineage.graph)
    assert len(found.curves) == len(distances(lineage.graph))
    assert ring(lineage.graph) == found


def test_arcs_say_what_is_true_of_the_models_under_them():
    graph = joined().graph
    graph.add_edge("other", "c", **edge(confidence=0.5))
    graph.add_node("other", **node("other"))
    lineage = finish("joined", graph)
    found = ring(lineage.graph)
    at = {block.models[0]: block.middle for block in found.blocks}
    for name, angle in at.items():
        [generation] = [arc.generation for arc in found.generations if arc.start < angle < arc.end]
        [roots] = [arc.roots for arc in found.middle if arc.start < angle < arc.end]
        assert generation == lineage.graph.nodes[name]["generation"]
        above = nx.ancestors(lineage.graph, name) | {name}
        assert set(roots) == {one for one in above if not lineage.graph.in_degree(one)}
    assert found.roots == ("unseen-1", "other")
    assert {arc.roots for arc in found.middle} >= {("unseen-1",), ("other",), ("unseen-1", "other")}


def test_neighbours_that_share_a_value_share_an_arc():
    found = ring(grown(120, 5).graph)
    assert len(found.middle) == 5
    assert len(found.generations) <= 20
    for arcs, value in ((found.generations, "generation"), (found.middle, "roots")):
        for a, b in itertools.pairwise(arcs):
            assert b.start - a.end > 1e-6 or getattr(a, value) != getattr(b, value)


def test_parents_and_their_children_nest():
    """In a tree no two curves from one generation to the next cross, unless they share an end."""
    lineage = grown(120, 5)
    at = {block.models[0]: block.middle for block in ring(lineage.graph).blocks}
    level = nx.get_node_attributes(lineage.graph, "generation")
    ways = [(*sorted((at[u], at[v])), level[u]) for u, v in lineage.graph.edges]
    crossings = [(a, b) for a in ways for b in ways if a[2] == b[2] and a[0] < b[0] < a[1] < b[1]]
    assert crossings == []


def test_models_apart_close_the_circle_and_leave_room_for_the_others():
    graph = demo().graph
    for index in range(500):
        graph.add_node(f"alone-{index}", **node(f"alone-{index}"))
    lineage = finish(
        "many", nx.subgraph_view(graph, filter_node=lambda name: graph.nodes[name]["status"] == "ok").copy()
    )
    found = check(lineage)
    apart = [block for block in found.blocks if lineage.graph.degree(block.models[0]) == 0]
    assert found.blocks[-len(apart) :] == tuple(apart)
    assert sum(block.end - block.start for block in apart) < 0.21 * 2 * math.pi
    assert (found.generations[-1].generation, found.middle[-1].roots) == (0, ())


def renamed(lineage, names):
    """The same graph with other names, its nodes in another order; digests stay with the models."""
    graph = nx.relabel_nodes(lineage.graph, names)
    shuffled = nx.DiGraph()
    shuffled.add_nodes_from(sorted(graph.nodes(data=True)))
    shuffled.add_edges_from(sorted(graph.edges(data=True), key=lambda one: one[:2]))
    return shuffled


def test_where_digests_decide_the_order_does_not_depend_on_names():
    lineage = grown(60, 4)
    names = sorted(lineage.graph)
    for index, name in enumerate(names):
        lineage.graph.nodes[name]["sha256"] = f"{index * 7919 % 61:064x}"
    others = dict(zip(names, random.Random(0).sample(names, len(names)), strict=True))
    first, second = ring(lineage.graph), ring(renamed(lineage, others))
    assert [others[block.models[0]] for block in first.blocks] == [block.models[0] for block in second.blocks]
    assert first.hubs == second.hubs
    ends = {(others[one.ancestor], others[one.descendant], one.hubs) for one in first.curves}
    assert ends == {(one.ancestor, one.descendant, one.hubs) for one in second.curves}


def test_what_an_unseen_model_lies_between_is_inferred():
    found = {(pair.ancestor, pair.descendant): pair for pair in ancestry.pairs(joined().graph)}
    assert found["unseen-1", "a"].inferred
    assert found["unseen-1", "soup"].inferred
    assert not found["a", "soup"].inferred
    graph = nx.DiGraph([("x", "u"), ("u", "y"), ("x", "k"), ("k", "z"), ("u", "z")])
    facts = {name: node(name, role="unseen" if name == "u" else "child") for name in graph}
    nx.set_node_attributes(graph, facts)
    found = {(pair.ancestor, pair.descendant): pair.inferred for pair in ancestry.pairs(graph)}
    assert found["x", "y"]
    assert not found["x", "z"]


def test_siblings_stand_together():
    for trees in circle(grown(120, 5).graph).families.values():
        for tree in trees:
            parents = [
                order.main_parents(grown(120, 5).graph)[group[0]]
                for generation in tree.generations[1:]
                for group in generation.siblings
            ]
            assert len(parents) == len(set(parents))


def test_a_larger_zoo_is_folded_into_its_families():
    lineage = grown(120, 5)
    whole, folded = ring(lineage.graph), ring(lineage.graph, drawn=119)
    assert not whole.folded
    assert folded.folded
    assert folded.curves == folded.hubs == ()
    assert [len(block.models) for block in folded.blocks] == [
        len(members) for members in order.families(lineage.graph).values()
    ]
    assert (folded.generations, folded.middle) == (whole.generations, whole.middle)


def test_curves_begin_and_end_on_the_circle_and_join():
    found = ring(demo().graph)
    at = {block.models[0]: block.middle for block in found.blocks}
    for one in found.curves:
        parts = way(at[one.ancestor], at[one.descendant], [found.hubs[hub] for hub in one.hubs])
        assert parts[0][0] == pytest.approx(on_circle(at[one.ancestor]))
        assert parts[-1][3] == pytest.approx(on_circle(at[one.descendant]))
        for before, after in itertools.pairwise(parts):
            assert before[3] == pytest.approx(after[0])
            rise = [(before[3][axis] - before[2][axis], after[1][axis] - after[0][axis]) for axis in (0, 1)]
            assert all(a == pytest.approx(b, abs=1e-9) for a, b in rise)
        assert all(math.hypot(x, y) <= 1 + 1e-9 for part in parts for x, y in part)


def test_one_family_takes_the_whole_circle():
    found = ring(grown(30, 1).graph)
    assert sum(block.end - block.start for block in found.blocks) == pytest.approx(2 * math.pi)
