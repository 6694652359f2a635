import numpy as np
import pytest

from lineage_graph.signals.sparsity import measure
from pairs import context


@pytest.fixture
def state():
    generator = np.random.default_rng(0)
    return {"a.weight": generator.standard_normal((64, 80)), "b.weight": generator.standard_normal((64, 64))}


def pruned(state):
    return {name: np.where(np.abs(w) < 0.7, 0, w) for name, w in state.items()}


def test_a_pruned_child_has_more_zeros_and_is_its_parent_elsewhere(state):
    found = measure(context(state, pruned(state)))
    assert found["sparsity_gain"] == pytest.approx(0.516, abs=0.02)
    assert found["masked"] == pytest.approx(1, abs=1e-5)
    turned = measure(context(pruned(state), state))
    assert turned == pytest.approx({name: -value for name, value in found.items()})


def test_training_after_pruning_moves_what_is_left(state):
    generator = np.random.default_rng(1)
    tuned = {name: w + 0.3 * generator.standard_normal(w.shape) * (w != 0) for name, w in pruned(state).items()}
    assert 0.3 < measure(context(state, tuned))["masked"] < 0.95


def test_what_was_rescaled_is_not_the_other_with_weights_taken_out(state):
    assert measure(context(state, {name: 80 * w for name, w in pruned(state).items()})).keys() == {"sparsity_gain"}


def test_zeros_on_both_sides_or_next_to_none_are_no_pruning(state):
    assert measure(context(pruned(state), pruned(state))) == {}
    few = {name: np.where(np.abs(w) < 0.03, 0, w) for name, w in state.items()}
    assert measure(context(state, few)) == {}
