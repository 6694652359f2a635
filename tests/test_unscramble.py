"""Copies whose hidden units were reordered and rescaled come out as copies, and strangers as strangers."""

from itertools import pairwise

import numpy as np
import pytest

from lineage_graph.comparison import TensorPair, compare_arrays
from lineage_graph.types import TensorSpec
from lineage_graph.unscramble import looks_scaled, unscramble

SIZES = (20, 48, 32, 24)


class Held:
    """A reader of arrays."""

    def __init__(self, state):
        self.state = state
        self.tensors = tuple(TensorSpec(name, values.shape, "float32") for name, values in state.items())

    def read(self, name):
        return self.state[name]


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def net(generator):
    """A perceptron: 20 inputs, three layers, with biases and a scale of the last."""
    state = {}
    for layer, (inputs, outputs) in enumerate(pairwise(SIZES)):
        state[f"{layer}.weight"] = generator.standard_normal((outputs, inputs)) / np.sqrt(inputs)
        state[f"{layer}.bias"] = generator.standard_normal(outputs)
    return {name: values.astype(np.float32) for name, values in state.items()}


def laundered(generator, state, scaled=False, noise=0.0):
    """The same function: units of the two hidden layers in another order, and scaled where ``scaled``."""
    state = {name: w + noise * w.std() * generator.standard_normal(w.shape) for name, w in state.items()}
    for layer in (0, 1):
        order = generator.permutation(SIZES[layer + 1])
        scale = np.exp(generator.uniform(-0.7, 0.7, len(order))) if scaled else np.ones(len(order))
        state[f"{layer}.weight"] = state[f"{layer}.weight"][order] * scale[:, None]
        state[f"{layer}.bias"] = state[f"{layer}.bias"][order] * scale
        state[f"{layer + 1}.weight"] = state[f"{layer + 1}.weight"][:, order] / scale
    return {name: values.astype(np.float32) for name, values in state.items()}


def planned(a, b):
    """The plan of a comparison, and the comparison of all as it is."""
    pairs = [
        TensorPair(name, name, w.size, len(w) if w.ndim > 1 else 0, float(w.mean()), float(b[name].mean()))
        for name, w in a.items()
    ]
    return pairs, [compare_arrays(a[pair.name_a], b[pair.name_b], pair) for pair in pairs]


def compared(a, b):
    pairs, as_is = planned(a, b)
    return as_is, {tensor.name_a: tensor for tensor in unscramble(Held(a), Held(b), pairs, as_is)}


def test_a_reordered_copy_is_equal_to_the_bit(generator):
    a = net(generator)
    as_is, found = compared(a, laundered(generator, a))
    assert not any(tensor.identical for tensor in as_is if tensor.name_a != "2.bias")
    assert all(tensor.identical for tensor in found.values())
    assert {name for name, tensor in found.items() if tensor.layout == "units"} == a.keys() - {"2.bias"}
    assert min(tensor.z for tensor in found.values() if tensor.rows) > 5


def test_a_rescaled_copy_lies_at_no_distance(generator):
    a = net(generator)
    _, found = compared(a, laundered(generator, a, scaled=True))
    assert {tensor.layout for name, tensor in found.items() if name != "2.bias"} == {"units, scaled"}
    for tensor in found.values():
        assert tensor.squared_distance < 1e-6 * tensor.squared_norm_a


def test_norms_of_units_vary_more_where_they_were_scaled(generator):
    a = net(generator)
    copy, reordered = laundered(generator, a, scaled=True), laundered(generator, a)
    forward, backward = (compared(*pair)[1]["1.weight"].spread for pair in ((a, copy), (copy, a)))
    assert forward == pytest.approx(-backward, rel=1e-3)
    assert forward == pytest.approx(2 * 1.4**2 / 12, rel=0.4)  # two uniform factors, each from -0.7 to 0.7
    assert np.isnan(compared(a, reordered)[1]["1.weight"].spread)


def test_what_was_done_since_a_rescaling_is_measured_in_that_scale_from_either_side(generator):
    a = net(generator)
    copy = laundered(generator, a, scaled=True)
    noised = {
        name: (w + 0.1 * np.std(w) * generator.standard_normal(w.shape)).astype(np.float32) for name, w in copy.items()
    }
    there, back = compared(a, noised)[1], compared(noised, a)[1]
    for name in ("0.weight", "1.weight", "2.weight"):
        assert there[name].squared_distance / there[name].squared_norm_b == pytest.approx(0.01, rel=0.25)
        assert back[name].squared_distance == pytest.approx(there[name].squared_distance, rel=1e-4)
        assert (back[name].name_a, back[name].squared_norm_a) == (name, pytest.approx(there[name].squared_norm_b))
        assert back[name].spread == pytest.approx(-there[name].spread)


def test_what_was_trained_since_is_the_distance(generator):
    a = net(generator)
    _, found = compared(a, laundered(generator, a, noise=0.2))
    for tensor in found.values():
        if tensor.rows:
            assert tensor.squared_distance / tensor.squared_norm_a == pytest.approx(0.04, rel=0.2)


def test_strangers_stay_as_they_are():
    for seed in range(40):
        generator = np.random.default_rng(seed)
        as_is, found = compared(net(generator), net(generator))
        assert list(found.values()) == as_is


def test_a_replaced_layer_is_not_made_to_agree(generator):
    a = net(generator)
    b = laundered(generator, a | {"2.weight": net(generator)["2.weight"]})
    as_is, found = compared(a, b)
    assert found["1.weight"].identical
    assert found["2.weight"] == as_is[4]


def test_a_layer_that_is_held_twice_does_not_confirm_itself():
    for seed in range(20):
        generator = np.random.default_rng(seed)
        pair = []
        for _ in "ab":
            state = {name: w for name, w in net(generator).items() if "weight" in name}
            noise = {name: 0.01 * generator.standard_normal(w.shape) for name, w in state.items()}
            averaged = {f"ema.{name}": (w + noise[name]).astype(np.float32) for name, w in state.items()}
            tied = {f"tied.{name}": w.T.copy() for name, w in state.items()}
            pair.append(state | averaged | tied)
        as_is, found = compared(*pair)
        assert list(found.values()) == as_is


def test_units_that_were_scaled_where_they_stand_are_found(generator):
    a = net(generator)
    scale = np.exp(generator.uniform(-1, 1, 48)).astype(np.float32)
    b = a | {
        "0.weight": a["0.weight"] * scale[:, None],
        "0.bias": a["0.bias"] * scale,
        "1.weight": a["1.weight"] / scale,
    }
    pairs, as_is = planned(a, b)
    assert looks_scaled(Held(a), Held(b), pairs, as_is)
    _, found = compared(a, b)
    assert all(tensor.identical for tensor in found.values())
    assert found["0.bias"].layout == "units, scaled"
    assert found["2.weight"].layout == ""


def test_a_heavy_fine_tune_does_not_look_scaled(generator):
    a = net(generator)
    b = {name: (w + w.std() * generator.standard_normal(w.shape)).astype(np.float32) for name, w in a.items()}
    assert not looks_scaled(Held(a), Held(b), *planned(a, b))


def test_a_scale_and_a_bias_tell_their_units_scale_where_no_matrix_does(generator):
    """The last layer's norm, whose readers are the head: that is not compared."""
    a = net(generator) | {"norm.weight": generator.uniform(0.5, 2, 24), "norm.bias": generator.standard_normal(24)}
    a = {name: values.astype(np.float32) for name, values in a.items()}
    scale = np.exp(generator.uniform(-1, 1, 24)).astype(np.float32)
    b = laundered(generator, a, scaled=True)
    b |= {name: b[name] * scale for name in ("norm.weight", "norm.bias")}
    _, found = compared(a, b)
    assert all(tensor.identical for tensor in found.values())
    assert found["norm.bias"].layout == "units, scaled"
