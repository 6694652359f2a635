"""TIES merges that were trained further, written to files and read back."""

import numpy as np
import pytest

from lineage_graph import retuned, trimmed
from lineage_graph.candidates import propose
from test_trimmed import on_disk, ties

SHAPES = {"stem.weight": (80, 90), "block.weight": (90, 90), "late.weight": (100, 90), "top.weight": (60, 100)}


def tuned(of, seed, scale=0.3):
    generator = np.random.default_rng(seed)
    return {
        name: np.float32(of.get(name, 0) + scale * generator.standard_normal(shape)) for name, shape in SHAPES.items()
    }


def family():
    base = tuned({}, 0, 1.0)
    return {"base": base, **{f"t{number}": tuned(base, number + 1) for number in range(4)}}


@pytest.fixture
def found(tmp_path):
    """The merges among models, by child; ``merges``: who is known to be one."""

    def look(states, merges=()):
        models = on_disk(states, tmp_path)
        tasks = list(retuned.tasks(models, propose(models), frozenset(merges)))
        return {blend.child: blend for blend in trimmed.settle([(task.look, retuned.look(task)) for task in tasks])}

    return look


@pytest.mark.parametrize(("density", "count"), [(0.2, 2), (0.3, 2), (0.3, 3), (0.5, 2)])
def test_a_merge_is_found_whole_after_training(found, density, count):
    states = family()
    tunes = [f"t{number}" for number in range(count)]
    states["merge"] = tuned(ties(states["base"], [states[name] for name in tunes], density, 1.0), 50, 0.05)
    (blend,) = found(states).values()
    assert (blend.child, blend.method, blend.base) == ("merge", "ties", "base")
    assert set(blend.parents[1:]) == set(tunes)
    assert blend.confidence > 0.7
    assert 0 < blend.residual < retuned.MOST_LEFT
    assert sum(blend.coefficients) == pytest.approx(1)


def test_relatives_of_all_other_kinds_are_none(found):
    states = family()
    states["grandchild"] = tuned(states["t0"], 77)
    states["average"] = tuned({name: (states["t1"][name] + states["t2"][name]) / 2 for name in SHAPES}, 78, 0.05)
    states["splice"] = {name: states["t1" if name < "late" else "t2"][name] for name in SHAPES}
    assert found(states) == {}


def test_who_descends_from_a_merge_is_none_itself(found):
    """The step is inherited; whoever is known to be a merge is asked no more, but explains its descendants."""
    states = family()
    merge = ties(states["base"], [states["t0"], states["t1"]], 0.3, 1.0)
    states["child"] = tuned(merge, 50, 0.05)
    assert set(found(states)) == {"child"}
    states["merge"] = merge
    assert found(states, ["merge"]) == {}


def test_of_a_tuned_merge_and_its_own_child_the_merge_is_the_merge(found):
    states = family()
    states["merge"] = tuned(ties(states["base"], [states["t0"], states["t1"]], 0.3, 1.0), 50, 0.04)
    states["child"] = tuned(states["merge"], 51, 0.04)
    assert set(found(states)) == {"merge"}


def test_who_stands_as_in_a_tree_is_not_read(tmp_path):
    states = family()
    states["merge"] = tuned(ties(states["base"], [states["t0"], states["t1"]], 0.3, 1.0), 50, 0.04)
    states["child"] = tuned(states["merge"], 51, 0.03)
    states["grandchild"] = tuned(states["t2"], 52)

    def asked(states):
        models = on_disk(states, tmp_path)
        return {task.look.child for task in retuned.tasks(models, propose(models), frozenset())}

    assert "merge" in asked(states)
    del states["merge"], states["child"]
    assert asked(states).isdisjoint({"t0", "t1", "t2", "t3", "grandchild"})


def test_models_that_differ_in_no_matrix_are_not_read(tmp_path):
    """As those are of which biases alone were trained."""
    base = tuned({}, 0, 1.0)
    states = {f"m{number}": {**base, "bias": np.full(60, number, np.float32)} for number in range(5)}
    models = on_disk(states, tmp_path)
    assert list(retuned.tasks(models, propose(models), frozenset())) == []


def test_a_matrix_that_is_constant_in_one_of_the_models_tells_nothing(tmp_path):
    states = family()
    states["merge"] = tuned(ties(states["base"], [states["t0"], states["t1"]], 0.3, 1.0), 50, 0.04)
    states["t3"] = {**states["t3"], "late.weight": np.zeros(SHAPES["late.weight"], np.float32)}
    models = on_disk(states, tmp_path)
    assert "merge" in {task.look.child for task in retuned.tasks(models, propose(models), frozenset())}
