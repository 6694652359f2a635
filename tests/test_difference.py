from __future__ import annotations

import math

import numpy as np
import pytest

from lineage_graph.difference import rank_limit, tail
from lineage_graph.types import FloatArray


def noise(*shape: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def adapter(m: int, n: int, rank: int, seed: int = 1) -> FloatArray:
    return noise(m, rank, seed=seed) @ noise(rank, n, seed=seed + 1) * np.float32(0.01)


@pytest.mark.parametrize("rank", [1, 8, 16])
def test_a_merged_adapter_leaves_only_rounding(rank: int) -> None:
    base = noise(64, 96)
    assert tail(base, base + adapter(64, 96, rank)) < 1e-6
    assert tail(base * 1e-20, (base + adapter(64, 96, rank)) * np.float32(1e-20)) < 1e-6


def test_beyond_the_limit_the_rest_counts() -> None:
    base = noise(64, 96)
    assert rank_limit((64, 96)) == 32
    assert 0.01 < tail(base, base + adapter(64, 96, 48)) < 0.5


@pytest.mark.parametrize("shape", [(16, 200), (64, 64), (300, 100), (256, 256), (1, 48, 10, 3)])
def test_it_is_the_energy_beyond_the_best_approximation(shape: tuple[int, ...]) -> None:
    a, b = noise(*shape), noise(*shape, seed=5)
    matrix = (a - b).reshape(next(n for n in shape if n > 1), -1)
    energy = np.linalg.svd(matrix.astype(np.float64), compute_uv=False) ** 2
    exact = energy[rank_limit((matrix.shape[0], matrix.shape[1])) :].sum() / energy.sum()
    assert exact <= tail(a, b) * (1 + 1e-5) < 1.2 * exact
    assert tail(a, b) == tail(b, a)


def test_a_convolution_is_a_matrix_of_its_units() -> None:
    base = noise(64, 16, 3, 3)
    assert tail(base, base + adapter(64, 144, 4).reshape(base.shape)) < 1e-6


def test_where_a_rank_tells_nothing() -> None:
    assert math.isnan(tail(noise(15, 300), noise(15, 300, seed=1)))
    assert math.isnan(tail(noise(300, 15), noise(300, 15, seed=1)))
    assert math.isnan(tail(noise(32, 32), noise(32, 32)))
    broken = noise(32, 32)
    broken[3, 3] = np.inf
    assert math.isnan(tail(noise(32, 32), broken))
    with pytest.raises(ValueError, match="not equal"):
        tail(noise(32, 32), noise(32, 16))
