"""Distances by block, from the comparisons of whole models."""

import numpy as np
import pytest

import fingerprints
from lineage_graph.by_block import distances
from lineage_graph.types import PairEvidence, TensorComparison

SHAPES = {"stem.weight": (8, 8), "blocks.0.a.weight": (8, 8), "blocks.0.b.weight": (8, 8), "blocks.0.b.bias": (8,)}


def model(name):
    """A network of a stem and one block, with a head that nobody inherits."""
    dice = np.random.default_rng(0)
    state = {tensor: dice.normal(size=shape) for tensor, shape in {**SHAPES, "head.weight": (3, 8)}.items()}
    return fingerprints.model(name, state)


def compared(tensor, squared, norm_a=4.0, norm_b=9.0, other=None):
    """One tensor on both sides."""
    return TensorComparison(tensor, other or tensor, 64, 8, 0.9, 9.0, squared, norm_a, norm_b, False)


MODELS = {name: model(name) for name in ("base", "tuned")}


def test_a_block_s_matrices_count_together_relative_to_both_norms():
    tensors = (compared("stem.weight", 0.0), compared("blocks.0.a.weight", 3.0), compared("blocks.0.b.weight", 6.0))
    pair = PairEvidence("base", "tuned", 1.0, {}, (*tensors, compared("blocks.0.b.bias", 99.0)))
    found = distances([pair], [("base", "tuned")], MODELS)
    assert found == {("base", "tuned"): {"stem": 0.0, "blocks.0": pytest.approx((9 / (8 * 18) ** 0.5) ** 0.5)}}
    assert list(found["base", "tuned"]) == ["stem", "blocks.0"], "in the order of the network"


def test_blocks_have_the_child_s_names_whichever_side_it_is_on():
    pair = PairEvidence("tuned", "base", 1.0, {}, (compared("stem.weight", 1.0, other="conv.weight"),))
    assert list(distances([pair], [("base", "tuned")], MODELS)["base", "tuned"]) == ["stem"]
    assert distances([pair], [("tuned", "base")], MODELS) == {}, "the base has no tensor of that name"


def test_what_was_not_compared_or_is_all_zero_has_no_distance():
    empty = PairEvidence("base", "tuned", 1.0, {})
    zero = PairEvidence("base", "tuned", 1.0, {}, (compared("stem.weight", 0.0, 0.0, 0.0),))
    assert distances([empty], [("base", "tuned")], MODELS) == {}
    assert distances([zero], [("base", "tuned")], MODELS) == {}
    assert distances([zero], [("base", "another")], MODELS) == {}
