"""Is what lies between two weight matrices of low rank, as a merged low-rank adapter leaves it?"""

from __future__ import annotations

import math

import numpy as np

from lineage_graph.types import FloatArray

LARGEST_RANK = 64
"""Adapters are trained with ranks of 4 to 64 (Hu et al., "LoRA", ICLR 2022, use 1 to 64)."""

LEAST_SIDE = 16
"""Shorter side from which half of it (8) is a rank that says anything."""

EXACT_SIDE = 160
"""Shorter side up to which all singular values are taken, which is then cheaper than looking for the largest."""

_OVERSAMPLING = 8
_ROWS = 256


def rank_limit(shape: tuple[int, int]) -> int:
    """The largest rank that counts as low in an (m, n) matrix: ``LARGEST_RANK``, but at most half of its sides."""
    return min(LARGEST_RANK, min(shape) // 2)


def tail(a: FloatArray, b: FloatArray) -> float:
    """Share of ‖a - b‖² beyond its best approximation of rank :func:`rank_limit`, 0 to 1.

    ``a``, ``b``: equal shapes, (m, n) or more dimensions, output units first. A merged adapter of a rank within the
    limit leaves 0 but for rounding; noise of shape (256, 256) leaves 0.4, larger noise more. NaN where the matrix is
    too small for a rank to tell, where both are equal, or where a value is not finite. Raises ``ValueError`` on unequal
    shapes.

    Exact where the shorter side is at most ``EXACT_SIDE``, from the eigenvalues of the Gram matrix. Beyond, by a
    randomised range finder with one power iteration (Halko, Martinsson & Tropp, "Finding structure with randomness",
    SIAM Review 53(2), 2011, algorithm 4.4): cost O(m n r), memory one (m, n) matrix beside the two. The estimate errs
    upwards, by up to a fifth where the spectrum is flat: what was missed never counts as low rank.
    """
    if a.shape != b.shape:
        raise ValueError(f"shapes {a.shape} and {b.shape} are not equal")
    units = next((size for size in a.shape if size > 1), 1)
    difference = (np.asarray(a, dtype=np.float32) - np.asarray(b, dtype=np.float32)).reshape(units, -1)
    largest = float(np.max(np.abs(difference), initial=0.0))
    if min(difference.shape) < LEAST_SIDE or largest == 0 or not math.isfinite(largest):
        return math.nan
    difference /= np.float32(largest)
    rank = rank_limit((difference.shape[0], difference.shape[1]))
    if min(difference.shape) <= EXACT_SIDE:
        return _exact(difference, rank)
    basis = _range(difference, rank + _OVERSAMPLING)
    inside = basis.T @ difference
    values = np.linalg.svd(inside, compute_uv=False).astype(np.float64)
    # Both parts are sums of squares: one minus the share inside would lose all digits of a small rest.
    beyond = _outside(difference, basis, inside) + float(np.dot(values[rank:], values[rank:]))
    return beyond / (beyond + float(np.dot(values[:rank], values[:rank])))


def _exact(matrix: FloatArray, rank: int) -> float:
    """In double precision squares lose nothing that counts: 1e-15 of the largest is far below what rounding leaves."""
    wide = (matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T).astype(np.float64)
    energies = np.maximum(np.linalg.eigvalsh(wide @ wide.T), 0.0)  # in ascending order
    return float(energies[:-rank].sum() / energies.sum())


def _range(matrix: FloatArray, count: int) -> FloatArray:
    """An orthonormal basis, shape (m, ≤ count), of about the range of ``matrix`` (m, n); seeded, so always the same."""
    count = min(count, *matrix.shape)
    test = np.random.default_rng(0).standard_normal((matrix.shape[1], count), dtype=np.float32)
    basis = np.linalg.qr(matrix @ test)[0]
    across = np.linalg.qr(matrix.T @ basis)[0]
    return np.asarray(np.linalg.qr(matrix @ across)[0], dtype=np.float32)


def _outside(matrix: FloatArray, basis: FloatArray, inside: FloatArray) -> float:
    """‖matrix - basis · inside‖², some rows at a time."""
    total = 0.0
    for start in range(0, matrix.shape[0], _ROWS):
        rest = (matrix[start : start + _ROWS] - basis[start : start + _ROWS] @ inside).reshape(-1)
        total += float(np.dot(rest, rest))
    return total
