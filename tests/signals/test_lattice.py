"""Rounding in every form, against what looks like it."""

import numpy as np
import pytest

from lineage_graph.signals import lattice, precision
from lineage_graph.signals.base import PairContext
from pairs import context

SHAPES = {"stem.weight": (24, 3, 3, 3), "mid.weight": (48, 24, 3, 3), "wide.weight": (96, 128), "wide.bias": (96,)}


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.fixture
def state(generator):
    return {name: (0.1 * generator.standard_normal(shape)).astype(np.float32) for name, shape in SHAPES.items()}


def each(state, function):
    return {name: function(w) for name, w in state.items()}


def bfloat16(w):
    bits = w.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32)


def integers(bits, *, rows=False, undo=True, clip=1.0):
    """Rounding to symmetric integers, a scale for the tensor or for each row."""

    def quantized(w):
        axes = tuple(range(1, w.ndim)) if rows and w.ndim > 1 else None
        scale = clip * np.abs(w).max(axis=axes, keepdims=True) / (2 ** (bits - 1) - 1)
        whole = np.clip(np.round(w / scale), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return (whole * scale if undo else whole).astype(np.float32)

    return quantized


FORMS = {
    "float16": lambda w: w.astype(np.float16),
    "bfloat16": bfloat16,
    "int8": integers(8),
    "int8 by rows": integers(8, rows=True),
    "int4": integers(4),
    "int4 by rows": integers(4, rows=True),
    "integers": integers(8, undo=False),
    "int4 in float16": lambda w: integers(4, rows=True)(w).astype(np.float16),
    "int4 in bfloat16": lambda w: bfloat16(integers(4, rows=True)(w)),
    "clipped integers": integers(8, undo=False, clip=0.6),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_rounded_copy_is_the_child_of_what_it_rounds(state, form):
    small = each(state, FORMS[form])
    forward, backward = lattice.measure(context(state, small)), lattice.measure(context(small, state))
    assert forward["rounding"] == backward["rounding"] == 1
    assert forward["lattice_loss"] == pytest.approx(-backward["lattice_loss"])
    assert forward["lattice_loss"] > 8


def test_rounding_twice_is_seen_as_two_steps(state):
    half = each(state, FORMS["float16"])
    eighth = each({name: w.astype(np.float32) for name, w in half.items()}, integers(8))
    assert lattice.measure(context(half, eighth))["lattice_loss"] > 2


@pytest.mark.parametrize("form", ["float16", "bfloat16"])
def test_four_bits_of_a_model_in_half_precision(state, form):
    half = {name: np.asarray(w, np.float32) for name, w in each(state, FORMS[form]).items()}
    small = each(each(half, integers(4, rows=True)), FORMS[form])
    assert lattice.measure(context(half, small))["lattice_loss"] > 1


@pytest.mark.parametrize("form", ["float16", "bfloat16"])
def test_a_base_in_half_precision_that_was_trained_on_is_no_rounding(state, generator, form):
    base = each(state, FORMS[form])
    tuned = {
        name: w + np.float32(0.005) * generator.standard_normal(w.shape, dtype=np.float32) for name, w in base.items()
    }
    assert lattice.measure(context(base, tuned)) == {}


def test_training_pruning_and_strangers_are_no_rounding(state, generator):
    tuned = each(state, lambda w: w + 1e-4 * generator.standard_normal(w.shape))
    pruned = each(state, lambda w: np.where(np.abs(w) < 0.1, 0, w))
    stranger = each(state, lambda w: integers(8)(generator.standard_normal(w.shape)))
    for other in (tuned, pruned, stranger, state):
        assert lattice.measure(context(state, other)) == {}


def test_a_part_that_was_left_to_itself_does_not_count(state):
    small = each(state, integers(4, rows=True)) | {"stem.weight": state["stem.weight"]}
    assert lattice.measure(context(state, small))["rounding"] == 1
    mixed = state | {"stem.weight": integers(8)(state["stem.weight"]), "wide.weight": state["wide.weight"] * 1.01}
    found = lattice.measure(context(state, mixed))
    assert 0 < found["rounding"] < 0.5
    assert "lattice_loss" not in found


def test_equal_values_in_a_wider_type_come_from_the_narrower(state):
    from dataclasses import replace

    half = each(state, FORMS["float16"])
    pair = context(half, half)
    narrow = tuple((replace(x, spec=replace(x.spec, dtype="float16")), y) for x, y in pair.aligned)
    assert precision.measure(PairContext(pair.a, pair.b, narrow, pair.tensors, 1.0)) == {"precision_loss": 1.0}
    turned = tuple((y, x) for x, y in narrow)
    assert precision.measure(PairContext(pair.a, pair.b, turned, pair.tensors, 1.0)) == {"precision_loss": -1.0}
    assert precision.measure(context(state, half)) == {}
    fused = tuple((replace(x, spec=replace(x.spec, shape=(3, *x.spec.shape))), y) for x, y in pair.aligned)
    assert precision.measure(PairContext(pair.a, pair.b, fused, pair.tensors, 1.0)) == {}
