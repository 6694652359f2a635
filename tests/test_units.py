"""Units are matched whatever their order and scale."""

import numpy as np
import pytest

from lineage_graph import units


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def weights(generator, *shape):
    return generator.standard_normal(shape).astype(np.float32)


def shuffled(generator, a):
    """``b`` with its units in another order, and the orders that undo it."""
    rows, columns = generator.permutation(a.shape[0]), generator.permutation(a.shape[1])
    return a[rows][:, columns], np.argsort(rows), np.argsort(columns)


def balanced(a):
    return units.balance(units.cube(a)).values


@pytest.mark.parametrize("shape", [(32, 24), (24, 64), (16, 12, 3, 3), (40, 9)])
def test_an_order_of_rows_and_columns_is_undone(generator, shape):
    a = weights(generator, *shape)
    b, rows, columns = shuffled(generator, a)
    found = units.match(balanced(a), balanced(b))
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.columns, columns)
    assert found.cosine == pytest.approx(1, abs=1e-5)


def test_scales_and_noise_do_not_hide_it(generator):
    a = weights(generator, 48, 40)
    noisy = a + 0.3 * weights(generator, 48, 40)
    b, rows, columns = shuffled(
        generator, noisy * np.exp(weights(generator, 48, 1)) * np.exp(weights(generator, 1, 40))
    )
    found = units.match(balanced(a), balanced(b))
    assert np.mean(found.rows == rows) > 0.9
    assert np.mean(found.columns == columns) > 0.9


def test_strangers_come_near_by_matching_alone(generator):
    a, b = weights(generator, 32, 24), weights(generator, 32, 24)
    assert abs(np.vdot(balanced(a), balanced(b))) < 0.15
    assert 0.3 < units.match(balanced(a), balanced(b)).cosine < 0.7


def test_balancing_takes_scales_off_and_tells_them(generator):
    a = units.cube(weights(generator, 20, 12, 3, 3))
    rows, columns = np.exp(weights(generator, 20)), np.exp(weights(generator, 12))
    one, other = units.balance(a), units.balance(a * rows[:, None, None] * columns[None, :, None])
    np.testing.assert_allclose(one.values, other.values, atol=1e-5)
    for axes, count in (((1, 2), 20), ((0, 2), 12)):
        np.testing.assert_allclose(np.sum(other.values**2, axis=axes), 1 / count, rtol=1e-3)
    np.testing.assert_allclose(
        np.exp((other.rows - one.rows)[:, None] + (other.columns - one.columns)[None, :]),
        rows[:, None] * columns[None, :],
        rtol=1e-3,
    )


def test_dead_units_stay_dead(generator):
    a = weights(generator, 16, 12)
    a[3] = 0
    assert np.isfinite(balanced(a)).all()
    assert not balanced(a)[3].any()
    b, *_ = shuffled(generator, a)
    assert units.match(balanced(a), balanced(b)).cosine == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((16,), False),
        ((1, 64), False),
        ((4, 4), False),
        ((1, 16, 32), True),
        ((64, 3, 7, 7), True),
        ((9000, 64), False),
    ],
)
def test_what_can_be_matched(shape, expected):
    assert units.matchable(shape) is expected
