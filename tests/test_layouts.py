"""Weights laid out anew are recognised by their values, and strangers are not."""

import math
from itertools import pairwise

import numpy as np
import pytest

from lineage_graph import layouts, relayout
from lineage_graph.comparison import TensorPair, compare_arrays


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def weights(generator, *shape):
    return generator.standard_normal(shape).astype(np.float32)


def noisy(generator, values):
    return values + np.float32(0.5) * weights(generator, *values.shape)


def gates(values, order, axis):
    return np.concatenate([np.split(values, len(order), axis=axis)[block] for block in order], axis=axis)


def to_cudnn(kernel, count):
    """Keras's LSTM layout → its CuDNN layout: each gate's kernel is transposed and refolded."""
    return np.hstack([gate.T.reshape(gate.shape) for gate in np.hsplit(kernel, count)])


CHANGES = {
    "transposed": ((40, 24), lambda w: w.T),
    "hwio to oihw": ((16, 8, 3, 3), lambda w: w.transpose(2, 3, 1, 0)),
    "oihw to hwio": ((3, 3, 8, 16), lambda w: w.transpose(3, 2, 0, 1)),
    "kio to oik": ((16, 8, 3), lambda w: w.transpose(2, 1, 0)),
    "hwoi to oihw": ((16, 1, 5, 5), lambda w: w.transpose(2, 3, 0, 1)),
    "transposed, reshaped": ((16, 8, 1, 1), lambda w: w[:, :, 0, 0].T),
    "reshaped": ((16, 8, 3, 3), lambda w: w.reshape(16, -1)),
    "gates 0213 of rows": ((64, 24), lambda w: gates(w, (0, 2, 1, 3), 0)),
    "transposed, gates 0213 of columns": ((24, 64), lambda w: gates(w.T, (0, 2, 1, 3), 0)),
    "gates 102 of rows": ((48, 10), lambda w: gates(w, (1, 0, 2), 0)),
    "4 gate matrices transposed": ((16, 64), lambda w: np.hstack([gate.T for gate in np.hsplit(w, 4)])),
    "4 gate matrices refolded (F)": ((20, 64), lambda w: to_cudnn(w, 4)),
    "3 gate matrices refolded (F)": ((20, 48), lambda w: to_cudnn(w, 3)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_layout_is_undone_to_the_bit(name, generator):
    shape, change = CHANGES[name]
    a = weights(generator, *shape)
    choice = layouts.choose(a, np.ascontiguousarray(change(a)))
    assert choice.layout.name == name
    _, found = layouts.laid_out(a, change(a), choice.layout)
    np.testing.assert_array_equal(found, a)


@pytest.mark.parametrize("name", CHANGES)
def test_a_layout_is_found_after_further_training(name, generator):
    shape, change = CHANGES[name]
    a = weights(generator, *shape)
    assert layouts.choose(a, np.ascontiguousarray(change(noisy(generator, a)))).layout.name == name


def test_a_part_of_a_fused_matrix_is_found_from_either_side(generator):
    fused = weights(generator, 3 * 16, 20)
    part = fused[16:32]
    for a, b in ((fused, part), (part, fused)):
        choice = layouts.choose(a, b)
        assert choice.layout.name == "part 2 of 3"
        np.testing.assert_array_equal(*layouts.laid_out(a, b, choice.layout))


def test_a_doubled_bias_counts_as_its_sum(generator):
    doubled = weights(generator, 2 * 64)
    choice = layouts.choose(doubled[:64] + doubled[64:], doubled)
    assert choice.layout.name == "halves added"
    assert choice.cosine == pytest.approx(1, abs=1e-6)


def test_shapes_that_hold_different_weights_have_no_layout():
    assert not layouts.compatible((4, 6), (3, 8))
    assert not layouts.compatible((8,), (4,))  # a part or a sum is no whole
    assert layouts.choose(np.ones((4, 6), np.float32), np.ones((3, 8), np.float32)) is None


def compared(a, b):
    pair = TensorPair("a", "b", a.size, a.shape[0], float(a.mean()), float(b.mean()))
    return relayout.preferred(a, b, pair, compare_arrays(a, b, pair))


def test_square_matrices_of_strangers_stay_as_they_are(generator):
    kept = [compared(weights(generator, 24, 24), weights(generator, 24, 24)).layout for _ in range(300)]
    assert kept == [""] * 300  # 51 layouts of 576 values each: the best of them has a cosine of 0.1 to 0.2


def test_a_transposed_square_matrix_is_compared_transposed(generator):
    a = weights(generator, 24, 24)
    found = compared(a, np.ascontiguousarray(noisy(generator, a).T))
    assert (found.layout, found.rows) == ("transposed", 24)
    assert found.cosine == pytest.approx(1 / math.sqrt(1.25), abs=0.03)
    assert not math.isnan(found.tail)


def test_what_agrees_as_it_is_is_not_laid_out_anew(generator):
    a = weights(generator, 24, 24)
    symmetric = a + a.T
    assert compared(symmetric, noisy(generator, symmetric)).layout == ""


def test_strangers_of_different_shape_get_no_z_from_the_choice(generator):
    zs = []
    for _ in range(60):
        a, b = weights(generator, 64, 32), weights(generator, 32, 64)
        pair = TensorPair("a", "b", a.size, 64, 0.0, 0.0, same_shape=False)
        zs.append(relayout.forced(a, b, pair).z)
    assert max(zs) < 3
    assert np.mean(zs) < 0.5


def test_more_trials_leave_less():
    left = [layouts.best_of(5.0, tried) for tried in (1, 10, 1000, 10**6)]
    assert left[0] == 5.0
    assert all(more > fewer for more, fewer in pairwise(left))
    assert left[-1] == 0.0
    assert layouts.best_of(-2.0, 10) == -2.0
