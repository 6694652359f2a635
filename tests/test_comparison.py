import math

import numpy as np
import pytest

from lineage_graph.comparison import LEAST_UNITS, TensorPair, compare_arrays, effective_rank


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def test_the_effective_rank_of_equal_directions_is_their_number(generator):
    basis = np.linalg.qr(generator.standard_normal((40, 40)))[0]
    assert effective_rank(basis[:, :7] @ basis[:7]) == pytest.approx(7)
    assert effective_rank(3 * basis[:12]) == effective_rank(3 * basis[:12].T) == pytest.approx(12)


def test_the_effective_rank_is_that_of_the_singular_values(generator):
    w = generator.standard_normal((30, 50)) * np.geomspace(1, 0.01, 50)
    squares = np.linalg.svd(w, compute_uv=False) ** 2
    assert effective_rank(w) == pytest.approx(squares.sum() ** 2 / (squares**2).sum())


@pytest.mark.parametrize("shape", [(LEAST_UNITS - 1, 50), (50, LEAST_UNITS - 1), (0, 0)])
def test_few_units_have_no_rank(shape, generator):
    assert math.isnan(effective_rank(generator.standard_normal(shape)))


def test_ranks_are_measured_where_a_matrix_changed_and_may_be_inherited(generator):
    a, stranger = generator.standard_normal((2, 24, 32)).astype(np.float32)

    def ranks(b, rows=24):
        found = compare_arrays(a, b, TensorPair("w", "w", a.size, rows, 0.0, 0.0))
        return found.rank_a, found.rank_b

    assert ranks(a + np.float32(0.1) * stranger) == (effective_rank(a), effective_rank(a + np.float32(0.1) * stranger))
    for nothing in (ranks(a), ranks(stranger), ranks(a + np.float32(0.1), rows=0)):
        assert all(math.isnan(rank) for rank in nothing)
