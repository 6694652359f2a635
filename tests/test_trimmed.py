"""TIES merges, written to files and read back; every other relation must stay unnoticed."""

import dataclasses

import numpy as np
import pytest
from safetensors.numpy import save_file

from fingerprints import model
from lineage_graph import trimmed
from lineage_graph.candidates import propose
from lineage_graph.recurrence import Trimmed

SHAPES = {"stem.weight": (40, 30), "block.weight": (40, 40), "late.weight": (50, 40), "top.weight": (10, 50)}


def tuned(of, seed, scale=0.3):
    generator = np.random.default_rng(seed)
    return {
        name: np.float32(of.get(name, 0) + scale * generator.standard_normal(shape)) for name, shape in SHAPES.items()
    }


def ties(base, tunes, density=0.3, scale=0.7):
    """Trim, elect signs, average whoever agrees (Yadav et al., "TIES-Merging", 2023)."""
    merged = {}
    for name, values in base.items():
        updates = [tune[name].astype(np.float64) - values for tune in tunes]
        kept = [np.where(np.abs(u) >= np.quantile(np.abs(u), 1 - density), u, 0) for u in updates]
        sign = np.sign(sum(kept))
        agree = [np.where(np.sign(u) == sign, u, 0) for u in kept]
        merged[name] = np.float32(values + scale * sum(agree) / np.maximum(sum(u != 0 for u in agree), 1))
    return merged


def family(seed=0):
    base = tuned({}, seed, 1.0)
    return {"base": base, **{f"t{number}": tuned(base, 100 * seed + number + 1) for number in range(4)}}


def on_disk(states, folder):
    """The models of ``states`` by id, written into ``folder``."""
    models = []
    for name, state in states.items():
        path = folder / f"{name}.safetensors"
        save_file(state, path)
        one = model(name, state)
        models.append(dataclasses.replace(one, checkpoint=dataclasses.replace(one.checkpoint, path=str(path))))
    return models


@pytest.fixture
def found(tmp_path):
    """The merges among models, by child."""

    def look(states):
        models = on_disk(states, tmp_path)
        tasks = list(trimmed.tasks(models, propose(models)))
        assert len(tasks) == len(models)
        ways = [trimmed.from_bytes(trimmed.to_bytes(trimmed.look(task))) for task in tasks]
        return {blend.child: blend for blend in trimmed.settle(list(zip(tasks, ways, strict=True)))}

    return look


@pytest.mark.parametrize(("density", "count"), [(0.1, 2), (0.3, 3), (0.6, 2)])
def test_a_ties_merge_is_found_whole(found, density, count):
    states = family()
    tunes = [f"t{number}" for number in range(count)]
    states["merge"] = ties(states["base"], [states[name] for name in tunes], density)
    (blend,) = found(states).values()
    assert (blend.child, blend.method) == ("merge", "ties")
    assert blend.parents[0] == "base"
    assert set(blend.parents[1:]) == set(tunes)
    assert blend.confidence > 0.95
    assert 0 < blend.residual < 1


def test_fine_tunes_and_sums_are_not_trimmed(found):
    states = family()
    states["grandchild"] = tuned(states["t0"], 77)
    states["merge"] = {name: (states["t1"][name] + states["t2"][name]) / 2 for name in SHAPES}
    assert found(states) == {}


def test_frozen_and_spliced_matrices_are_no_merge(found):
    states = family()
    states["t0"]["stem.weight"] = states["base"]["stem.weight"]
    states["frozen"] = {**tuned(states["t0"], 78), "stem.weight": states["t0"]["stem.weight"]}
    states["frozen"]["late.weight"] = states["t0"]["late.weight"]
    states["splice"] = {name: states["t1" if name < "late" else "t2"][name] for name in SHAPES}
    assert found(states) == {}


def test_pruned_siblings_are_no_merge(found):
    """They have many zeros in common, and the values of the model that was pruned."""
    states = family()
    for number in range(3):
        pruned = np.random.default_rng(number).random
        states[f"pruned{number}"] = {
            name: np.where((abs(values) < 0.4) & (pruned(values.shape) < 0.9), np.float32(0), values)
            for name, values in states["base"].items()
        }
    assert found(states) == {}


@pytest.mark.parametrize("step", [0.05, None])
def test_values_on_a_lattice_coincide_by_chance(found, step):
    """Quantised fine-tunes of a quantised base, and fine-tunes kept in half precision."""
    states = {
        name: {
            key: np.float32(np.round(values / step) * step) if step else values.astype(np.float16).astype(np.float32)
            for key, values in state.items()
        }
        for name, state in family().items()
    }
    assert found(states) == {}


def test_two_merges_of_the_same_parents_do_not_explain_one_another(found):
    states = family()
    parents = [states["t0"], states["t1"]]
    states["sparse"] = ties(states["base"], parents, 0.1)
    states["dense"] = ties(states["base"], parents, 0.5, 1.0)
    blends = found(states)
    assert {child: set(blend.parents) for child, blend in blends.items()} == {
        "sparse": {"base", "t0", "t1"},
        "dense": {"base", "t0", "t1"},
    }


def test_a_sum_of_one_model_alone_is_no_merge():
    """What a rounded copy and a pruned one of a model make of it, with the coarser one as the base."""
    task = trimmed.LookTask("c", ("coarse", "half", "pruned"), ("",) * 4, ("",) * 4, ((),) * 4)
    alone = Trimmed((0, 1, 2), (4e-6, 1.0, 6e-8), (2e-5, 2e-5, 3e-6), 0.99, 0.84)
    assert trimmed.settle([(task, (alone,))]) == []
    (blend,) = trimmed.settle([(task, (dataclasses.replace(alone, coefficients=(0.5, 0.3, 0.2)),))])
    assert (blend.base, blend.parents) == ("coarse", ("coarse", "half", "pruned"))
