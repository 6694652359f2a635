"""Second thoughts on planted trees: updates are vectors, so that every distance is exact."""

import math

import numpy as np
import pytest

from lineage_graph.angles import Angles, Tree

SIZE = 4000


def squared_of(points):
    return lambda one, other: float(np.sum((points[one] - points[other]) ** 2))


def silent(one, other):
    return 0.0


def tree(parent, points, fixed=(), log_odds=silent):
    found = Tree(parent, fixed, squared_of(points), log_odds)
    found.settle({name: number for number, name in enumerate(points)})
    return found.parent


def star(shared=0.16):
    """A root, a child that moved little, and two that moved far and share a part of its direction."""
    generator = np.random.default_rng(0)
    root, common = generator.standard_normal((2, SIZE))
    points = {"root": root}
    for name, length in (("near", 0.3), ("far", 1.0), ("other", 0.9)):
        own = generator.standard_normal(SIZE)
        points[name] = root + length * (math.sqrt(shared) * common + math.sqrt(1 - shared) * own)
    return points


def chain():
    generator = np.random.default_rng(1)
    points = {"a": generator.standard_normal(SIZE)}
    for before, name, length in (("a", "b", 0.3), ("b", "c", 1.0), ("c", "d", 0.5)):
        points[name] = points[before] + length * generator.standard_normal(SIZE)
    return points


def test_children_of_a_sibling_that_moved_little_go_up_to_their_parent():
    wrong = {"near": "root", "far": "near", "other": "near"}
    assert tree(wrong, star()) == {"near": "root", "far": "root", "other": "root"}


def test_a_chain_stays_a_chain():
    true = {"b": "a", "c": "b", "d": "c"}
    assert tree(true, chain()) == true


def test_states_of_one_run_stay_in_their_order():
    line = np.random.default_rng(2).standard_normal(SIZE)
    points = {name: step * line for name, step in zip("abcd", (1.0, 1.3, 1.5, 1.6), strict=True)}
    true = {"b": "a", "c": "b", "d": "c"}
    assert tree(true, points) == true


def test_cues_turn_an_edge_that_angles_leave_open():
    points = {name: np.eye(3)[number] for number, name in enumerate("ab")}

    def later(one, other):
        return 2.0 if (one, other) == ("b", "a") else -2.0

    assert tree({"b": "a"}, points, log_odds=later) == {"a": "b"}
    assert tree({"b": "a"}, points, fixed=["a"], log_odds=later) == {"b": "a"}


def test_distances_that_were_not_measured_move_nothing():
    wrong = {"near": "root", "far": "near", "other": "near"}
    points = star()
    known = squared_of(points)

    def squared(one, other):
        return math.nan if "root" in (one, other) else known(one, other)

    found = Tree(wrong, (), squared, silent)
    found.settle({name: number for number, name in enumerate(points)})
    assert found.parent == wrong


@pytest.mark.parametrize("cosine", [-1.0, -0.3, 0.0, 0.3, 1.0])
def test_no_angle_is_impossible(cosine):
    angles = Angles()
    assert math.isfinite(angles.of_chain(cosine))
    assert math.isfinite(angles.of_siblings(cosine))
    assert angles.of_chain(math.nan) == angles.of_siblings(math.nan) == 0.0
