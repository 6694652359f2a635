import numpy as np
import pytest

from lineage_graph.signals.profiles import measure
from pairs import context


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.fixture
def state(generator):
    return {"a.weight": generator.standard_normal((64, 9, 3, 3)), "b.weight": generator.standard_normal((48, 64))}


def test_scaling_and_permuting_units_leaves_profiles_equal(state, generator):
    scales = np.exp(generator.standard_normal(64)) * generator.choice([-1, 1], 64)
    order = generator.permutation(64)
    folded = state | {"a.weight": (state["a.weight"] * scales[:, None, None, None])[order]}
    assert measure(context(state, folded)) == {"same_profile": 1.0}
    assert measure(context(folded, state)) == {"same_profile": 1.0}


def test_training_noise_and_strangers_change_profiles(state, generator):
    for by in (1e-3, 1.0):
        moved = {name: w + by * generator.standard_normal(w.shape) for name, w in state.items()}
        assert measure(context(state, moved)) == {}


def test_equal_values_and_weights_of_two_values_say_nothing(state, generator):
    assert measure(context(state, state)) == {}
    signs = [{"a.weight": generator.choice([-1.0, 0.5, 1.0], (64, 64))} for _ in range(2)]
    assert measure(context(*signs)) == {}
