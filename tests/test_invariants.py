"""Copies in other units, at other scales or in other layouts are proposed, and few others."""

import numpy as np
import pytest

from fingerprints import model
from lineage_graph.candidates import CandidateSettings, propose
from lineage_graph.invariants import AlikeSettings, alike, nearest

SHAPES = ((64, 40), (64, 64), (48, 64))


def net(seed):
    """Values of another spread and tail in every network and layer, as training leaves them."""
    generator = np.random.default_rng(seed)
    return {
        f"l{i}.weight": generator.uniform(0.5, 2) * generator.standard_t(generator.uniform(4, 20), shape)
        for i, shape in enumerate(SHAPES)
    }


def reordered(state, seed=100):
    generator = np.random.default_rng(seed)
    return {name: generator.permuted(generator.permuted(w, axis=0), axis=1) for name, w in state.items()}


def rescaled(state, seed=101):
    """Units in another order and at another scale; the first layer's inputs stay."""
    generator = np.random.default_rng(seed)
    changed = dict(state)
    for name, following in (("l0.weight", "l1.weight"), ("l1.weight", "l2.weight")):
        order, scale = generator.permutation(64), np.exp(generator.uniform(-1, 1, 64))
        changed[name] = changed[name][order] * scale[:, None]
        changed[following] = changed[following][:, order] / scale
    return changed


def noisy(state, seed=102):
    generator = np.random.default_rng(seed)
    return {name: w + 0.05 * w.std() * generator.standard_normal(w.shape) for name, w in state.items()}


def transposed(state):
    return {f"layers.{name[1]}.kernel": w.T for name, w in state.items()}


def pairs(models, known=(), **settings):
    found = alike(models, set(known), AlikeSettings(**settings))
    return {frozenset((models[i].id, models[j].id)) for i, j in found}


CHANGES = {
    "reordered": reordered,
    "rescaled": rescaled,
    "noisy": lambda w: noisy(reordered(w)),
    "transposed": transposed,
}


@pytest.mark.parametrize("change", CHANGES)
def test_among_strangers_the_original_is_nearest(change):
    models = [model(f"m{seed}", net(seed)) for seed in range(12)]
    models.append(model("copy", CHANGES[change](net(3))))
    assert {"copy", "m3"} in pairs(models, neighbours=1, nearly_equal=1)


@pytest.mark.parametrize("change", CHANGES)
def test_what_sketches_miss_reaches_the_candidates(change):
    state = net(0)
    models = [model("original", state), model("copy", CHANGES[change](state))]
    assert propose(models, CandidateSettings(alike=0)) == ()
    (pair,) = propose(models)
    assert ({pair.a, pair.b}, pair.similarity) == ({"original", "copy"}, 0.0)


def test_no_model_gets_more_than_its_share():
    generator = np.random.default_rng(0)
    strangers = [model(f"s{i}", {"w": generator.standard_normal((64, 64))}) for i in range(30)]
    assert 0 < len(pairs(strangers, nearly_equal=2)) <= 2 * 30  # of one recipe: a closer look has to tell them apart


def test_what_lies_far_apart_is_not_proposed():
    generator = np.random.default_rng(0)
    models = [model(f"m{i}", {"w": generator.standard_t(df, (64, 64))}) for i, df in enumerate((3, 5, 30))]
    assert pairs(models) == set()


def test_known_pairs_are_not_proposed_again():
    models = [model("a", net(0)), model("b", reordered(net(0)))]
    assert pairs(models, known=[(0, 1)]) == set()


def test_the_order_of_the_models_does_not_matter():
    models = [
        model(f"{name}{seed}", of(net(seed))) for seed in range(5) for name, of in (("m", dict), ("c", reordered))
    ]
    assert pairs(models) == pairs(models[::-1])


def test_approximate_search_finds_the_copies_too():
    models = [
        model(f"{name}{seed}", of(net(seed))) for seed in range(40) for name, of in (("m", dict), ("c", reordered))
    ]
    assert {frozenset((f"m{i}", f"c{i}")) for i in range(40)} <= pairs(models, exact_below=1)


def test_nearest_matrices_come_first():
    a = net(0)
    b = {**net(1), "l1.weight": reordered(a)["l1.weight"]}
    found = nearest(model("a", a), model("b", b))
    # The last one is taken for the head.
    assert [(one.spec.name, other.spec.name) for one, other in found] == [
        (name, name) for name in ("l1.weight", "l0.weight")
    ]
    assert nearest(model("a", a), model("t", transposed(a))) == []
