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


def test_transposed_and_renamed_layers_are_matched_by_their_moments(layers):
    a = fingerprint({f"{'abcde'[i]}.weight": w for i, w in enumerate(layers)})
    b = fingerprint({f"net.{'edcba'[i]}.kernel": w.T for i, w in enumerate(layers)})
    assert pairs(a, b) == {(f"{c}.weight", f"net.{d}.kernel") for c, d in zip("abcde", "edcba", strict=True)}


def test_equal_vectors_find_each_other_whatever_their_order():
    generator = np.random.default_rng(3)
    biases = [generator.standard_normal(16) for _ in range(4)]
    matrix = {"w": generator.standard_normal((8, 8))}
    a = fingerprint(matrix | {f"{'abcd'[i]}.bias": v for i, v in enumerate(biases)})
    b = fingerprint(matrix | {f"net.{'cbad'[i]}.b": v for i, v in enumerate(biases[:3])})
    assert pairs(a, b) == {("w", "w"), ("a.bias", "net.c.b"), ("b.bias", "net.b.b"), ("c.bias", "net.a.b")}


def test_a_layer_of_another_shape_pairs_if_one_can_be_laid_out_like_the_other():
    generator = np.random.default_rng(4)
    w = generator.standard_normal((8, 24))
    assert align(fingerprint({"w": w}), fingerprint({"v": w.T})).coverage == 1.0
    assert align(fingerprint({"w": w}), fingerprint({"v": w.reshape(12, 16)})).pairs == ()


@pytest.mark.parametrize("turned", [False, True])
def test_a_fused_layer_pairs_with_each_of_its_parts(turned):
    generator = np.random.default_rng(5)
    fused = {f"{i}.qkv": generator.standard_normal((48, 16)) for i in range(2)}
    split = {f"{name[:2]}{part}": w[16 * k : 16 * k + 16] for name, w in fused.items() for k, part in enumerate("qkv")}
    embedding = {"embed": generator.standard_normal((20, 16))}
    a, b = fingerprint(embedding | fused), fingerprint(embedding | split)
    expected = {("embed", "embed")} | {(f"{i}.qkv", f"{i}.{part}") for i in range(2) for part in "qkv"}
    if turned:
        assert pairs(b, a) == {(part, whole) for whole, part in expected}
    else:
        assert pairs(a, b) == expected
    assert align(a, b).coverage == 1.0
