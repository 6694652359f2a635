import math

import numpy as np
import pytest

from lineage_graph.gromov import LatentSettings, Measured, Relation, gromov, groups
from lineage_graph.types import DirectionCue


def star(branches, names="abcdefgh"):
    """Relations between the leaves of a star with these squared branches; a branch of 0 is the hub itself."""
    leaves = dict(zip(names, branches, strict=False))
    return [Relation(a, b, leaves[a] + leaves[b]) for a in leaves for b in leaves if a < b]


def unseen_at(node, relations, **settings):
    others = sorted({end for r in relations for end in (r.u, r.v)} - {node})
    return groups(node, others, Measured(relations), LatentSettings(**settings))


def test_products_are_the_common_way_and_unmeasured_ones_their_best_bound():
    distance = np.array([3.0, 4.0, 5.0])
    between = np.array([[0.0, 3.0, math.nan], [3.0, 0.0, 5.0], [math.nan, 5.0, 0.0]])
    products = gromov(distance, between)
    assert products[0, 1] == pytest.approx(2.0)
    assert products[1, 2] == pytest.approx(2.0)
    assert products[0, 2] == pytest.approx(2.0)


def test_products_without_any_bound_are_none():
    unknown = np.full((2, 2), math.nan)
    np.fill_diagonal(unknown, 0.0)
    assert gromov(np.ones(2), unknown)[0, 1] == 0.0


def test_a_parent_has_no_unseen_node_beside_it():
    assert set(unseen_at("a", star([0.0, 0.01, 0.02, 0.03])).values()) == {None}


def test_siblings_meet_in_one_unseen_node_as_far_as_their_branches_say():
    found = unseen_at("a", star([0.01, 0.012, 0.014, 0.02]))
    (group,) = {id(g): g for g in found.values()}.values()
    assert group is not None
    assert group.depth == pytest.approx(0.01)
    assert set(found) == set("bcd")


def test_siblings_that_share_a_little_still_leave_their_parent_the_hub():
    relations = [Relation("p", child, 0.02) for child in "abc"]
    relations += [Relation(x, y, 0.04 * 0.93) for x, y in ("ab", "ac", "bc")]
    assert set(unseen_at("p", relations).values()) == {None}


def test_a_node_with_children_of_its_own_can_have_unseen_siblings_elsewhere():
    """u is unseen, with v, x and y below it at 0.01; c and d are children of v."""
    depth = {"x": 0.02, "y": 0.02, "c": 0.01, "d": 0.01}
    relations = [Relation("v", node, squared) for node, squared in depth.items()]
    relations += [Relation("x", "y", 0.02), Relation("c", "d", 0.02)]
    relations += [Relation(a, b, 0.03) for a in "xy" for b in "cd"]
    found = unseen_at("v", relations)
    assert found["c"] is found["d"] is None
    assert found["x"] is found["y"] is not None
    assert found["x"].depth == pytest.approx(0.01)


@pytest.mark.parametrize(("apart", "seen"), [(4.0, False), (0.0, True), (-math.inf, True)])
def test_other_evidence_decides_what_geometry_leaves_open(apart, seen):
    relations = [Relation(r.u, r.v, r.squared, apart=apart) for r in star([0.0025, 0.008, 0.01])]
    assert (unseen_at("a", relations)["b"] is None) == seen


@pytest.mark.parametrize(("signs", "seen"), [((0, 0, 0), False), ((1, 1, 1), True), ((-1, -1, 1), False)])
def test_cues_for_a_parent_count_against_an_unseen_node_and_contradictory_ones_for_it(signs, seen):
    of_a = dict(zip("bcd", signs, strict=True))
    relations = [
        Relation(r.u, r.v, r.squared, (DirectionCue("counter", 3.0 * of_a[r.v]),) if r.u == "a" else ())
        for r in star([0.0023, 0.013, 0.013, 0.013])
    ]
    assert (unseen_at("a", relations, prior=-1.6)["b"] is None) == seen


def test_equal_weights_are_no_group():
    relations = [Relation(a, b, 0.0) for a, b in ("ab", "ac", "bc")]
    assert set(unseen_at("a", relations).values()) == {None}
