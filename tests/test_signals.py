"""Each signal on pairs whose truth is planted, and the property all signals of direction share."""

from dataclasses import replace

import numpy as np
import pytest

from lineage_graph.comparison import permutation_z
from lineage_graph.scoring import CUES
from lineage_graph.signals.registry import measure_all
from pairs import context


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def net(generator, width=64):
    return {
        "first.weight": generator.standard_normal((width, 40)),
        "first.bias": generator.standard_normal(width),
        "second.weight": generator.standard_normal((width, width)),
    }


def moved(generator, state, by):
    return {name: w + by * generator.standard_normal(w.shape) for name, w in state.items()}


def test_distance_and_cosine_are_those_of_the_whole_vectors(generator):
    a = net(generator)
    b = moved(generator, a, 0.5)
    signals = measure_all(context(a, b))
    flat_a, flat_b = (np.concatenate([w.ravel() for w in s.values()]).astype(np.float32) for s in (a, b))
    expected = np.linalg.norm(flat_a - flat_b) / np.sqrt(np.linalg.norm(flat_a) * np.linalg.norm(flat_b))
    assert signals["distance"] == pytest.approx(expected, rel=1e-5)
    assert signals["scale"] == pytest.approx(np.log(np.linalg.norm(flat_b) / np.linalg.norm(flat_a)), rel=1e-3)
    assert signals["cosine"] == pytest.approx(1 / np.sqrt(1.25), abs=0.02)


@pytest.mark.parametrize("piece", [7, 64, 1000])  # float32 sums within a block
def test_reading_in_pieces_changes_no_comparison(generator, piece):
    a = net(generator)
    b = moved(generator, a, 0.5)
    whole, pieces = measure_all(context(a, b)), measure_all(context(a, b, piece=piece))
    assert pieces == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize("units", [6, 10, 40])
def test_the_permutation_null_is_standard_normal(units):
    generator = np.random.default_rng(units)
    scores = [permutation_z(*(generator.standard_normal((2, units, 20)).astype(np.float32))) for _ in range(2000)]
    assert np.mean(scores) == pytest.approx(0, abs=0.08)
    assert np.std(scores) == pytest.approx(1, abs=0.12)


def test_strangers_z_has_a_standard_deviation_of_one():
    """Even where single rows agree strongly (few effective dimensions), signs are a coin toss."""
    scores = []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        shared = np.random.default_rng(7).standard_normal(40)  # a direction that every first layer looks along
        a, b = ({"w": generator.standard_normal((64, 1)) * shared + 0.1} for _ in range(2))
        scores.append(measure_all(context(a, b))["cosine_z"])
    assert np.std(scores) == pytest.approx(1, abs=0.2)
    assert np.max(np.abs(scores)) < 5


def test_relatives_are_beyond_chance(generator):
    a = net(generator)
    assert measure_all(context(a, moved(generator, a, 1.0)))["cosine_z"] > 8


def test_inherited_is_the_share_that_was_kept(generator):
    a = net(generator)
    b = net(generator) | {"second.weight": a["second.weight"]}
    signals = measure_all(context(a, b))
    assert signals["inherited"] == pytest.approx(64 * 64 / (64 * 64 + 64 * 40))
    assert signals["inherited_cosine"] == pytest.approx(1)
    assert signals["identical"] == pytest.approx(64 * 64 / (64 * 64 + 64 * 40 + 64))


def test_a_replaced_part_takes_no_part_in_cues_of_direction(generator):
    a = net(generator) | {"neck.weight": generator.standard_normal((64, 64)), "neck.bias": np.ones(64)}
    new = {"neck.weight": 3 * generator.standard_normal((64, 64)), "neck.bias": -9 * np.ones(64)}
    b = moved(generator, a, 0.1)
    trunk = {name: w for name, w in b.items() if name not in new}
    whole, part = measure_all(context(a, b | new)), measure_all(context(a, trunk))
    for name in ("norm_growth", "init_drift", "kurtosis_growth"):
        assert whole[name] == pytest.approx(part[name]), name
    assert whole["distance"] > 2 * part["distance"]


def test_strangers_inherit_nothing(generator):
    assert measure_all(context(net(generator), net(generator)))["inherited"] == 0


def test_orthogonal_updates_show_which_side_they_started_from(generator):
    a = net(generator)
    forward = measure_all(context(a, moved(generator, a, 0.3)))
    assert forward["norm_growth"] == pytest.approx(1, abs=0.2)


def test_biases_and_scales_drift_away_from_where_training_starts_them(generator):
    parent = net(generator, width=400) | {"norm.weight": 1 + generator.standard_normal(400)}
    child = moved(generator, parent, 1.0)
    assert measure_all(context(parent, child))["init_drift"] == pytest.approx(1, abs=0.5)
    untrained = {"w": parent["second.weight"], "norm.weight": np.ones(64), "bias": np.zeros(64)}
    trained = {"w": parent["second.weight"], "norm.weight": np.ones(64) * 0.9, "bias": np.ones(64) * 0.01}
    assert measure_all(context(untrained, trained))["init_drift"] == pytest.approx(1, rel=1e-4)


def test_an_incomparable_pair_has_no_distance_at_all(generator):
    signals = measure_all(context({"w": generator.standard_normal((4, 9))}, {"w": generator.standard_normal((9, 5))}))
    assert signals == {}


def test_counters_that_only_one_side_has_say_nothing(generator):
    a = net(generator)
    signals = measure_all(context(a, a, ({"epoch": 3.0}, {"step": 4.0})))
    assert not [name for name in signals if name.startswith("counter.")]


def test_turning_a_pair_round_turns_every_cue_of_direction(generator):
    a = net(generator)
    b = moved(generator, a, 0.4)
    b["second.weight"] = np.where(np.abs(b["second.weight"]) < 0.7, 0, b["second.weight"])
    counters = ({"num_batches_tracked": 100.0, "epoch": 9.0}, {"num_batches_tracked": 250.0, "epoch": 2.0})
    forward = measure_all(context(a, b, counters))
    backward = measure_all(context(b, a, counters[::-1]))
    shared = forward.keys() & CUES.keys()
    assert {
        "counter.num_batches_tracked",
        "counter.epoch",
        "norm_growth",
        "init_drift",
        "kurtosis_growth",
        "sparsity_gain",
    } <= shared
    for name in shared:
        assert forward[name] == pytest.approx(-backward[name]), name
    for name in ("distance", "cosine", "cosine_z", "inherited", "identical"):
        assert forward[name] == pytest.approx(backward[name]), name


def test_what_was_laid_out_anew_is_told(generator):
    a = net(generator)
    found = context(a, a)
    assert "laid_out" not in measure_all(found)
    layouts = {"first.weight": "transposed", "first.bias": "units", "second.weight": "units, scaled"}
    laid = tuple(replace(tensor, layout=layouts[tensor.name_a], z=7.0) for tensor in found.tensors)
    signals = measure_all(replace(found, tensors=laid))
    assert signals["laid_out"] == 1.0
    assert signals["units"] == pytest.approx(64 / (64 + 40))
    assert signals["units_z"] == pytest.approx(7.0)
