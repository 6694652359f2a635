"""A backbone with something beside it, and everything that is not."""

import numpy as np
import pytest

from lineage_graph.signals.parts import measure
from pairs import context


def backbone(seed=0):
    dice = np.random.default_rng(seed)
    names = [f"blocks.{number}.{layer}.weight" for number in range(2) for layer in ("attn", "mlp")]
    return {name: dice.standard_normal((40, 40)).astype(np.float32) for name in names}


def tuned(state, seed=1):
    dice = np.random.default_rng(seed)
    return {name: w + np.float32(0.1) * dice.standard_normal(w.shape).astype(np.float32) for name, w in state.items()}


def beside(state, prefix="", **more):
    return {f"{prefix}{name}": w for name, w in state.items()} | more


def neck(seed=2):
    return np.random.default_rng(seed).standard_normal((20, 40)).astype(np.float32)


@pytest.mark.parametrize("prefix", ["", "encoder."])
def test_what_was_set_beside_a_trained_backbone_points_to_it(prefix):
    a = backbone()
    b = beside(tuned(a), prefix, **{"neck.weight": neck()})
    assert measure(context(a, b)) == {"parts_added": pytest.approx(800 / (4 * 1600 + 800))}
    assert measure(context(b, a)) == {"parts_added": pytest.approx(-800 / (4 * 1600 + 800))}


def test_an_equal_backbone_may_have_been_taken_out():
    a = backbone()
    assert measure(context(a, beside(a, **{"neck.weight": neck()}))) == {}


def test_heads_and_necks_of_both_say_nothing():
    a = backbone()
    assert measure(context(a, tuned(a))) == {}
    assert measure(context(beside(a, **{"head.weight": neck(3)}), beside(tuned(a), **{"head.weight": neck(4)}))) == {}
    assert measure(context(beside(a, **{"neck.weight": neck(3)}), beside(tuned(a), **{"other.weight": neck(4)}))) == {}
    assert measure(context(beside(a, **{"neck.weight": neck(3)}), beside(tuned(a), **{"neck.weight": neck(4)}))) == {}


def test_a_block_that_does_not_go_on_says_nothing():
    a, b = backbone(), beside(tuned(backbone()), **{"neck.weight": neck()})
    b["blocks.1.mlp.weight"] = backbone(9)["blocks.1.mlp.weight"]
    assert measure(context(a, b)) == {}
