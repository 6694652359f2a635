import numpy as np
import pytest

from fingerprints import fingerprint
from lineage_graph.alignment import align


@pytest.fixture
def layers():
    generator = np.random.default_rng(0)
    return [generator.standard_normal((24, 24)) for _ in range(5)]


def pairs(a, b):
    return {(one.spec.name, two.spec.name) for one, two in align(a, b).pairs}


def test_equal_names_and_shapes_pair_up(layers):
    a = fingerprint({f"{'abcde'[i]}.weight": w for i, w in enumerate(layers)})
    b = fingerprint({f"{'abcde'[i]}.weight": w + 1 for i, w in enumerate(layers)})
    assert pairs(a, b) == {(f"{c}.weight", f"{c}.weight") for c in "abcde"}
    assert align(a, b).coverage == 1.0


def test_another_prefix_and_another_order_are_matched_by_content(layers):
    noisy = [w + 0.3 * np.random.default_rng(i).standard_normal(w.shape) for i, w in enumerate(layers)]
    a = fingerprint({f"{'abcde'[i]}.weight": w for i, w in enumerate(layers)})
    b = fingerprint({f"backbone.{'edcba'[i]}.kernel": w for i, w in enumerate(noisy)})
    assert pairs(a, b) == {(f"{c}.weight", f"backbone.{d}.kernel") for c, d in zip("abcde", "edcba", strict=True)}


def test_content_picks_the_layers_that_were_kept(layers):
    a = fingerprint({f"{'abcde'[i]}.weight": w for i, w in enumerate(layers)})
    b = fingerprint({"x.weight": layers[3], "y.weight": layers[1]})
    assert pairs(a, b) == {("d.weight", "x.weight"), ("b.weight", "y.weight")}


def test_strangers_of_one_shape_pair_in_order():
    generator = np.random.default_rng(1)
    a = fingerprint({f"a.{'xyz'[i]}.weight": generator.standard_normal((300, 300)) for i in range(3)})
    b = fingerprint(
        {f"b.{'xyz'[i]}.weight": 0.001 * i + np.ones((300, 300)) for i in range(3)} | {"b.bias": np.ones(3)}
    )
    assert align(a, b).coverage == 0.0  # constant tensors are no matrices: nothing to compare
    c = fingerprint({f"c.{'xyz'[i]}.weight": np.eye(300) * (i + 1) for i in range(3)})
    assert len(align(a, c).pairs) == 3


def test_heads_and_running_statistics_stay_out(layers):
    state = {"body.weight": layers[0], "head.weight": layers[1], "bn.running_mean": np.arange(24.0)}
    assert pairs(fingerprint(state), fingerprint(state)) == {("body.weight", "body.weight")}


def test_a_model_that_is_all_head_is_compared_all_the_same(layers):
    state = {"head.weight": layers[1]}
    assert align(fingerprint(state), fingerprint(state)).coverage == 1.0


def test_nothing_in_common_is_no_coverage(layers):
    a = fingerprint({"x.weight": layers[0]})
    b = fingerprint({"x.weight": np.random.default_rng(2).standard_normal((7, 9))})
    assert (align(a, b).pairs, align(a, b).coverage) == ((), 0.0)
