"""The reference methods on made-up trees of random matrices, where what each of them looks at is planted."""

import networkx as nx
import numpy as np
import pytest
from safetensors.numpy import save_file

from fingerprints import fingerprint
from lineage_graph.bench.references import REFERENCES, mother, norm, spanning, tensorlock, weights
from lineage_graph.bench.references.families import families
from lineage_graph.bench.references.weights import Backbone, WeightZoo, relative_distance
from lineage_graph.types import Checkpoint, Model

SHAPES = {"a.weight": (24, 12), "b.weight": (16, 24), "c.weight": (12, 16), "d.weight": (16, 12)}


def noise(seed, size=1.0):
    dice = np.random.default_rng(seed)
    return {name: (size * dice.standard_normal(shape)).astype(np.float32) for name, shape in SHAPES.items()}


def add(state, other, share=1.0):
    return {name: values + np.float32(share) * other[name] for name, values in state.items()}


def zoo(states, count, coarse=()):
    models = tuple(Backbone(state, state, name in coarse) for name, state in states.items())
    distance = np.array([[relative_distance(a, b) if a is not b else 0.0 for b in models] for a in models])
    return WeightZoo(tuple(states), models, distance, count)


def tree():
    """Two families whose norm, kurtosis and effective rank rise from parent to child: r → s → t, r → u; x → y."""
    states = {"r": noise(0), "x": noise(1)}
    for parent, child, seed in (("r", "s", 2), ("s", "t", 3), ("r", "u", 4), ("x", "y", 5)):
        states[child] = add(states[parent], noise(seed, 0.3))
    return states


EDGES = {("r", "s"), ("s", "t"), ("r", "u"), ("x", "y")}


def undirected(edges):
    return {frozenset(edge) for edge in edges}


@pytest.mark.parametrize("name", REFERENCES)
def test_every_reference_finds_who_is_related_to_whom(name):
    found = REFERENCES[name](zoo(tree(), 2))
    assert set(found) == set(tree())
    assert nx.is_directed_acyclic_graph(found)
    assert {kind for _, _, kind in found.edges(data="kind")} == {"finetune"}
    pairs = undirected(found.edges)
    assert len(pairs) == len(EDGES)
    assert frozenset("xy") in pairs
    if not name.startswith(("TensorLock", "MoTHer")):
        assert pairs == undirected(EDGES)


def test_the_root_of_a_spanning_tree_is_its_medoid():
    found = spanning.build(zoo({name: tree()[name] for name in "rsut"}, 1))
    assert set(found.edges) in ({("r", "s"), ("s", "t"), ("r", "u")}, {("s", "r"), ("s", "t"), ("r", "u")})
    hub = noise(0)
    star = {"hub": hub, **{f"leaf{seed}": add(hub, noise(seed, 0.3)) for seed in range(1, 5)}}
    assert set(spanning.build(zoo(star, 1)).edges) == {("hub", f"leaf{seed}") for seed in range(1, 5)}


def test_as_many_families_as_there_are():
    found = spanning.build(zoo(tree(), 2))
    assert nx.number_weakly_connected_components(found) == 2
    assert nx.number_weakly_connected_components(spanning.build(zoo(tree(), 3))) == 3


def test_the_smallest_norm_is_the_root():
    states = tree()
    assert set(norm.build(zoo(states, 2)).edges) == EDGES
    states["t"] = {name: 0.8 * values for name, values in states["t"].items()}
    assert set(norm.build(zoo(states, 2)).edges) == {("t", "s"), ("s", "r"), ("r", "u"), ("x", "y")}


def spiked(state, seed, spikes):
    """Some weights become outliers: kurtosis rises."""
    dice = np.random.default_rng(seed)
    found = {name: values.copy() for name, values in state.items()}
    for values in found.values():
        values.flat[dice.choice(values.size, spikes, replace=False)] = 5.0
    return found


def test_kurtosis_directs_either_way():
    states = {"r": noise(0)}
    states["s"] = spiked(states["r"], 1, 2)
    states["t"] = spiked(states["s"], 2, 2)
    assert mother.kurtosis(zoo(states, 1).models[0]) == pytest.approx(3, abs=0.4)
    assert set(mother.build(zoo(states, 1), rises=True).edges) == {("r", "s"), ("s", "t")}
    assert set(mother.build(zoo(states, 1), rises=False).edges) == {("t", "s"), ("s", "r")}


def test_models_that_cannot_be_compared_stay_apart():
    states = {**tree(), "other": {"z": np.ones((3, 3), np.float32) * np.arange(3, dtype=np.float32)}}
    for build in REFERENCES.values():
        assert "other" in nx.isolates(build(zoo(states, 2)))


def test_families_join_what_cannot_be_compared_last():
    distance = np.array([[0, 0.1, np.inf], [0.1, 0, np.inf], [np.inf, np.inf, 0]])
    assert families(distance, 2, "ward") == [[0, 1], [2]]
    assert families(distance, 1, "average") == [[0, 1, 2]]
    assert families(np.zeros((1, 1)), 1, "ward") == [[0]]


def test_least_squares_finds_a_merge():
    base = noise(0)
    states = {"base": base, "one": add(base, noise(1, 0.3)), "two": add(base, noise(2, 0.3))}
    states["sum"] = {name: 0.6 * states["one"][name] + 0.4 * values for name, values in states["two"].items()}
    found = tensorlock.build(zoo(states, 1), rises=True)
    assert {(a, kind) for a, _, kind in found.in_edges("sum", data="kind")} == {("one", "merge"), ("two", "merge")}
    assert {kind for _, child, kind in found.edges(data="kind") if child != "sum"} == {"finetune"}


def test_a_quantised_model_descends_from_the_one_that_it_correlates_with():
    states = {"one": noise(0), "two": add(noise(0), noise(1, 0.3))}
    states["small"] = {name: np.round(values * 20) for name, values in states["two"].items()}
    found = tensorlock.build(zoo(states, 1, coarse=["small"]), rises=True)
    assert list(found.in_edges("small", data="kind")) == [("two", "small", "quantize")]


def test_effective_rank_directs_either_way():
    states = {"full": noise(0)}
    states["low"] = {name: _low_rank(values) for name, values in states["full"].items()}
    models = zoo(states, 1)
    ranks = [tensorlock.effective_rank(model) for model in models.models]
    assert 0 < ranks[1] < 0.5 < ranks[0] <= 1
    assert set(tensorlock.build(models, rises=True).edges) == {("low", "full")}
    assert set(tensorlock.build(models, rises=False).edges) == {("full", "low")}


def _low_rank(values):
    u, s, v = np.linalg.svd(values, full_matrices=False)
    return ((u[:, :4] * s[:4]) @ v[:4]).astype(np.float32)


def test_what_the_references_are_given(tmp_path):
    first, second = noise(0), noise(1)
    second["head.weight"] = np.ones((3, 16), np.float32) * np.arange(3, dtype=np.float32)[:, None]
    renamed = {f"backbone.{name}": 2 * values for name, values in first.items()}
    models = []
    for name, state in {"first": first, "second": second, "renamed": renamed}.items():
        save_file(state, tmp_path / f"{name}.safetensors")
        known = fingerprint(state)
        models.append(Model(Checkpoint(name, str(tmp_path / f"{name}.safetensors"), known.digest, "path"), known))
    given = weights.load(models, 2)
    assert given.ids == ("first", "second", "renamed")
    assert not set(given.models[1].tensors) & {"head.weight"}
    assert given.models[0].norm == pytest.approx(np.sqrt(sum(np.sum(values**2) for values in first.values())), rel=1e-5)
    assert given.distance[0, 2] == given.distance[2, 0] == pytest.approx(1 / np.sqrt(2), rel=1e-5)
    assert given.distance[0, 1] == pytest.approx(np.sqrt(2), rel=0.1)
    assert (np.diag(given.distance) == 0).all()


def test_copies_are_a_family():
    states = {"one": noise(0), "copy": noise(0), "other": noise(1)}
    for build in REFERENCES.values():
        assert undirected(build(zoo(states, 2)).edges) <= {frozenset(["one", "copy"])}
    assert undirected(norm.build(zoo(states, 2)).edges) == {frozenset(["one", "copy"])}
