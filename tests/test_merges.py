"""Merges planted into families of random weights; every other relation must stay unnoticed."""

import dataclasses

import numpy as np
import pytest

from fingerprints import model
from lineage_graph.merges import find

SHAPES = {"stem": (24, 20), "block.1": (24, 24), "block.2": (24, 24), "late": (40, 24), "top": (30, 40)}


def weights(seed, scale=1.0, of=None):
    """Random weights; ``of``: those of a parent, fine-tuned by ``scale``."""
    generator = np.random.default_rng(seed)
    return {
        name: (0 if of is None else of[name]) + scale * generator.standard_normal(shape)
        for name, shape in SHAPES.items()
    }


def blend(*terms):
    """Σ coefficient · weights."""
    return {name: sum(coefficient * state[name] for coefficient, state in terms) for name in SHAPES}


def family(seed=0, tuned=5, scale=0.3):
    """A base, its fine-tunes, and a child of the first of them."""
    base = weights(seed)
    states = {"base": base}
    for number in range(tuned):
        states[f"t{number}"] = weights(100 * seed + number + 1, scale, base)
    states["grandchild"] = weights(seed + 1000, scale, states["t0"])
    return states


def models(states):
    return [model(name, {f"{key}.weight": value for key, value in state.items()}) for name, state in states.items()]


def the_one(states):
    (found,) = find(models(states))
    return found


def test_a_tree_holds_no_merge():
    states = {**family(1), **{f"x{name}": state for name, state in family(2).items()}, "stranger": weights(77)}
    assert find(models(states)) == []


def test_siblings_without_their_parent_are_no_merges():
    states = family(1, tuned=8)
    del states["base"]
    assert find(models(states)) == []


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.7])
@pytest.mark.parametrize("others", [0, 3])
def test_snapshots_of_a_run_are_no_merges(keep, others):
    """Steps that ``keep`` a part of their direction, of a run beside ``others`` that start from the same model."""
    states = {"s0": weights(0)}
    states |= {f"t{number}": weights(70 + number, 0.3, states["s0"]) for number in range(others)}
    step = blend((0, states["s0"]))
    for number in range(1, 9):
        step = weights(number, 0.2, blend((keep, step)))
        states[f"s{number}"] = blend((1, states[f"s{number - 1}"]), (1, step))
    assert find(models(states)) == []


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.8, 0.2), (0.5, 0.3, 0.2), (0.25, 0.25, 0.25, 0.25)])
def test_a_linear_merge_is_found_whole(shares):
    states = family(3)
    states["merge"] = blend(*((share, states[f"t{number}"]) for number, share in enumerate(shares)))
    found = the_one(states)
    assert (found.child, found.method) == ("merge", "linear")
    by_parent = dict(zip(found.parents, found.coefficients, strict=True))
    assert by_parent == pytest.approx({f"t{number}": share for number, share in enumerate(shares)}, abs=1e-4)
    assert max(found.uncertainties) < 1e-4
    assert found.residual < 1e-6
    assert found.confidence > 0.99


def test_a_rounded_and_fine_tuned_merge_is_told_less_surely():
    states = family(3)
    exact = blend((0.5, states["t1"]), (0.5, states["t2"]))
    states["merge"] = weights(9, 0.03, {name: value.astype(np.float16) for name, value in exact.items()})
    found = the_one(states)
    assert set(found.parents) == {"t1", "t2"}
    assert found.coefficients == pytest.approx((0.5, 0.5), abs=0.05)
    assert 0.001 < max(found.uncertainties) < 0.1
    assert 0.001 < found.residual < 0.05
    assert 0.5 < found.confidence < 1


def test_a_merge_that_was_trained_further_is_found_where_its_parents_branch_off():
    states = family(3)
    states["merge"] = weights(9, 0.08, blend((0.5, states["t1"]), (0.5, states["t2"])))
    found = the_one(states)
    assert (found.child, set(found.parents)) == ("merge", {"t1", "t2"})
    assert found.coefficients == pytest.approx((0.5, 0.5), abs=0.1)
    assert found.confidence < 0.99


def test_two_far_models_on_an_arc():
    states = family(4, scale=1.2)
    states["merge"] = {}
    for name in SHAPES:
        a, b = states["t1"][name], states["t2"][name]
        angle = np.arccos(np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b))
        states["merge"][name] = (np.sin(0.6 * angle) * a + np.sin(0.4 * angle) * b) / np.sin(angle)
    found = the_one(states)
    assert found.method == "slerp"
    shares = dict(zip(found.parents, found.coefficients, strict=True))
    assert shares["t1"] + shares["t2"] > 1.05
    assert shares["t1"] / (shares["t1"] + shares["t2"]) == pytest.approx(0.6, abs=0.03)


@pytest.mark.parametrize("scale", [0.4, 0.7, 1.0])
def test_task_arithmetic_names_its_base(scale):
    states = family(5)
    tasks = [states["t1"], states["t2"]]
    states["merge"] = blend((1 - 2 * scale, states["base"]), *((scale, task) for task in tasks))
    found = the_one(states)
    assert (found.child, found.method) == ("merge", "task-arithmetic")
    by_parent = dict(zip(found.parents, found.coefficients, strict=True))
    assert by_parent == pytest.approx({"base": 1 - 2 * scale, "t1": scale, "t2": scale}, abs=1e-4)


@pytest.mark.parametrize("shared", [0.0, 0.7])
def test_several_sums_of_one_family_are_all_told(shared):
    """Any five sums of five models can stand for them. ``shared``: what the fine-tunes have in common."""
    states = {"base": weights(11)}
    common = weights(12, shared)
    for number in range(4):
        states[f"t{number}"] = weights(20 + number, 0.3, blend((1, states["base"]), (0.3, common)))
    sums = {
        "linear": {"t0": 0.4, "t1": 0.6},
        "three": {"t0": 0.5, "t2": 0.3, "t3": 0.2},
        "pair": {"t1": 0.5, "t2": 0.6, "base": -0.1},
        "many": {"t0": 0.65, "t1": 0.32, "t2": 0.79, "base": -0.76},
    }
    for name, parts in sums.items():
        states[name] = blend(*((share, states[part]) for part, share in parts.items()))
    found = {one.child: dict(zip(one.parents, one.coefficients, strict=True)) for one in find(models(states))}
    assert found == {name: pytest.approx(parts, abs=1e-3) for name, parts in sums.items()}


def test_strangers_are_parents_of_an_exact_sum_alone():
    states = {"a": weights(21), "b": weights(22), "c": weights(23)}
    states["sum"] = blend((0.94, states["a"]), (0.06, states["b"]))
    found = the_one(states)
    assert (found.child, dict(zip(found.parents, found.coefficients, strict=True))) == (
        "sum",
        {"a": pytest.approx(0.94, abs=1e-4), "b": pytest.approx(0.06, abs=1e-4)},
    )
    states["sum"] = weights(24, 0.02, states["sum"])
    assert find(models(states)) == []


def test_children_of_a_merge_are_no_merges():
    states = family(6)
    states["merge"] = blend((0.5, states["t1"]), (0.5, states["t2"]))
    states |= {f"child{number}": weights(50 + number, 0.02, states["merge"]) for number in range(3)}
    assert the_one(states).child == "merge"


def test_a_copy_of_a_parent_changes_nothing():
    states = family(7)
    states["merge"] = blend((0.5, states["t1"]), (0.5, states["t2"]))
    states["copy"] = states["t1"]
    found = the_one(states)
    assert {"copy": "t1"}.get(found.parents[0], found.parents[0]) in ("t1", "t2")
    assert len(found.parents) == 2


def test_a_splice_is_no_merge():
    states = family(8)
    states["splice"] = {name: states["t1" if name < "late" else "t2"][name] for name in SHAPES}
    assert find(models(states)) == []


def test_names_and_order_change_nothing():
    states = family(9)
    states["merge"] = blend((0.5, states["t1"]), (0.3, states["t2"]), (0.2, states["t3"]))
    known = models(states)
    renamed = [dataclasses.replace(m, checkpoint=dataclasses.replace(m.checkpoint, id=f"x-{m.id}")) for m in known]
    (found,), (again,) = find(known), find(renamed[::-1])
    assert again.parents == tuple(f"x-{parent}" for parent in found.parents)
    assert dataclasses.replace(again, child=found.child, parents=found.parents) == found


def test_a_few_numbers_are_not_fitted_by_many_models():
    generator = np.random.default_rng(0)
    base = generator.standard_normal((4, 5))
    known = [model(f"m{n}", {"w.weight": base + 0.3 * generator.standard_normal((4, 5))}) for n in range(40)]
    assert find(known) == []
