from itertools import pairwise

import numpy as np
import pytest

from lineage_graph.signals.low_rank import measure
from pairs import context

WIDTHS = (48, 64, 96, 64)


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.fixture
def state(generator):
    layers = {}
    for number, (n, m) in enumerate(pairwise(WIDTHS)):
        layers[f"layers.{number}.proj.weight"] = 0.1 * generator.standard_normal((m, n))
        layers[f"layers.{number}.proj.bias"] = 0.1 * generator.standard_normal(m)
    return {name: w.astype(np.float32) for name, w in layers.items()}


def adapted(state, generator, rank=4, only="", scale=0.01):
    return {
        name: (
            w + scale * generator.standard_normal((w.shape[0], rank)) @ generator.standard_normal((rank, w.shape[1]))
        )
        if w.ndim == 2 and only in name
        else w
        for name, w in state.items()
    }


@pytest.mark.parametrize("only", ["", "layers.1"])
def test_a_merged_adapter_changes_matrices_by_low_rank_and_nothing_else(state, generator, only):
    found = measure(context(state, adapted(state, generator, only=only)))
    assert found == {"low_rank": 1.0, "kept_vectors": 1.0}
    assert measure(context(adapted(state, generator), state)) == found


def test_a_merged_adapter_stored_in_half_precision_is_seen_through_the_rounding(state, generator):
    half = {name: w.astype(np.float16) for name, w in adapted(state, generator, scale=0.05).items()}
    assert measure(context(state, half))["low_rank"] == 1


def test_rounding_alone_has_no_rank_to_tell(state):
    assert "low_rank" not in measure(context(state, {name: w.astype(np.float16) for name, w in state.items()}))


def test_training_is_of_full_rank(state, generator):
    tuned = {name: w + 0.001 * generator.standard_normal(w.shape) for name, w in state.items()}
    assert measure(context(state, tuned)) == {"low_rank": 0.0, "kept_vectors": 0.0}


def test_small_matrices_tell_no_rank(generator):
    small = {"a.weight": generator.standard_normal((12, 12)), "b.weight": generator.standard_normal((12, 300))}
    assert measure(context(small, {name: w * 1.01 for name, w in small.items()})) == {}


def test_an_adapter_beside_its_base_shows_by_its_factors(state, generator):
    factors = {f"layers.{n}.proj.lora_A.default.weight": generator.standard_normal((4, WIDTHS[n])) for n in range(3)}
    factors |= {
        f"layers.{n}.proj.lora_B.default.weight": generator.standard_normal((WIDTHS[n + 1], 4)) for n in range(3)
    }
    forward, backward = measure(context(state, state | factors)), measure(context(state | factors, state))
    assert forward["adapter_gain"] == -backward["adapter_gain"] > 0.05
    assert "adapter_gain" not in measure(context(state | factors, state | factors))
