"""One aligned pair of tensors, side by side: second moments, and agreement beyond chance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from lineage_graph import difference
from lineage_graph.sketch import BLOCK
from lineage_graph.types import FloatArray, TensorComparison

UNITS = 256
UNIT_LENGTH = 1 << 16
"""Units of a matrix, and elements of each, that the permutation test looks at: the cost stays bounded for any size."""

LEAST_UNITS = 6
"""Units from which there are permutations enough (720) to speak of a normal spread."""

LEAST_RANK_COSINE = 0.2
"""Cosine from which a matrix may be inherited; the ranks of others say nothing of the pair."""

LEAST_TAIL_COSINE = 0.5
"""Cosine from which two matrices can lie no more than an adapter apart; the rest is spared its cost."""


ROWS = "rows"
"""``layout`` of a comparison of the leading rows that two tables have in common."""


class Pieces(Protocol):
    """What gives a tensor's values in pieces, in step with any other: a :class:`~lineage_graph.checkpoints.base.Reader`
    and more.
    """

    def chunks(self, name: str) -> Iterator[FloatArray]:
        """Flat float32 pieces, in C order."""


@dataclass(frozen=True, slots=True)
class TensorPair:
    """One line of a comparison's plan. ``rows``: 0 for tensors that are no weight matrices. ``same_shape``: b's values
    can be compared as they lie.
    """

    name_a: str
    name_b: str
    size: int
    rows: int
    mean_a: float
    mean_b: float
    same_shape: bool = True

    def turned(self) -> TensorPair:
        """The same pair, b first."""
        return replace(self, name_a=self.name_b, name_b=self.name_a, mean_a=self.mean_b, mean_b=self.mean_a)


def units(shape: tuple[int, ...]) -> int:
    """Output units of a weight matrix: its first dimension that is not 1."""
    return next((size for size in shape if size > 1), 1)


def compare_tensors(a: Pieces, b: Pieces, tensor: TensorPair) -> TensorComparison:
    """Second moments of one aligned pair, in one pass over both."""
    totals = np.zeros(6)
    identical = True
    units_a, units_b = _Units(tensor), _Units(tensor)
    for piece_a, piece_b in zip(a.chunks(tensor.name_a), b.chunks(tensor.name_b), strict=True):
        for start in range(0, piece_a.size, BLOCK):
            block_a, block_b = piece_a[start : start + BLOCK], piece_b[start : start + BLOCK]
            totals += _moments(block_a, block_b, tensor.mean_a, tensor.mean_b)
            identical = identical and np.array_equal(block_a, block_b)
        units_a.add(piece_a)
        units_b.add(piece_b)
    squared_distance, squared_a, squared_b, centred_a, centred_b, inner = totals.tolist()
    cosine = ratio(inner, centred_a, centred_b)
    ranked = is_ranked(tensor, cosine, identical)
    return TensorComparison(
        name_a=tensor.name_a,
        name_b=tensor.name_b,
        size=tensor.size,
        rows=tensor.rows,
        cosine=cosine,
        z=permutation_z(units_a.values, units_b.values),
        squared_distance=squared_distance,
        squared_norm_a=squared_a,
        squared_norm_b=squared_b,
        identical=identical,
        rank_a=effective_rank(units_a.values) if ranked else math.nan,
        rank_b=effective_rank(units_b.values) if ranked else math.nan,
    )


def turned(tensor: TensorComparison) -> TensorComparison:
    """The same comparison, b first."""
    return replace(
        tensor,
        name_a=tensor.name_b,
        name_b=tensor.name_a,
        squared_norm_a=tensor.squared_norm_b,
        squared_norm_b=tensor.squared_norm_a,
        rank_a=tensor.rank_b,
        rank_b=tensor.rank_a,
        spread=-tensor.spread,
    )


def ratio(inner: float, squared_a: float, squared_b: float) -> float:
    """The cosine of two vectors, -1 to 1; 0 where one has no length."""
    scale = math.sqrt(squared_a * squared_b)
    return inner / scale if scale > 0 else 0.0


def is_ranked(tensor: TensorPair, cosine: float, identical: bool) -> bool:
    """Is it a matrix that changed and may be inherited, so that its ranks say something of the pair?"""
    return tensor.rows > 0 and not identical and cosine >= LEAST_RANK_COSINE


def compare_arrays(a: FloatArray, b: FloatArray, tensor: TensorPair) -> TensorComparison:
    """The same of values in memory, of one shape, with ``tail`` where it is wanted."""
    found = compare_tensors(_Held(a), _Held(b), tensor)
    return with_tail(found, a, b) if needs_tail(found) else found


def compare_leading(a: Pieces, b: Pieces, tensor: TensorPair) -> TensorComparison:
    """The same of the first ``tensor.size`` elements of both, of which one has more."""
    return replace(compare_tensors(_Leading(a, tensor.size), _Leading(b, tensor.size), tensor), layout=ROWS)


def needs_tail(tensor: TensorComparison) -> bool:
    """Is it a matrix near enough that the rank of the difference could tell?"""
    return tensor.rows > 0 and not tensor.identical and tensor.cosine >= LEAST_TAIL_COSINE


def with_tail(tensor: TensorComparison, a: FloatArray, b: FloatArray) -> TensorComparison:
    """With the difference's share beyond low rank. ``a``, ``b``: the whole tensors, of one shape."""
    return replace(tensor, tail=difference.tail(a, b))


@dataclass(frozen=True, slots=True)
class _Held:
    """:class:`Pieces` of one array."""

    values: FloatArray

    def chunks(self, name: str) -> Iterator[FloatArray]:
        yield self.values.reshape(-1)


@dataclass(frozen=True, slots=True)
class _Leading:
    """:class:`Pieces` of the first ``size`` elements."""

    whole: Pieces
    size: int

    def chunks(self, name: str) -> Iterator[FloatArray]:
        left = self.size
        for piece in self.whole.chunks(name):
            yield piece[:left]
            left -= piece.size
            if left <= 0:
                return


def _moments(a: FloatArray, b: FloatArray, mean_a: float, mean_b: float) -> list[float]:
    """‖a - b‖², ‖a‖², ‖b‖², and the same two and the inner product of the centred values, of blocks of shape (n,)."""
    difference = a - b
    centred_a, centred_b = a - np.float32(mean_a), b - np.float32(mean_b)
    pairs = ((difference, difference), (a, a), (b, b), (centred_a, centred_a), (centred_b, centred_b))
    return [float(np.dot(x, y)) for x, y in (*pairs, (centred_a, centred_b))]


def effective_rank(units: FloatArray) -> float:
    """Participation ratio (Σ s²)²/Σ s⁴ of the singular values s of ``units``, shape (units, inputs): 1 to the least of
    both; it is that of n equal singular values. NaN where there are fewer than ``LEAST_UNITS`` of either, or no values.

    Roy & Vetterli, "The effective rank" (EUSIPCO 2007), take the exponential of the entropy of s for the same purpose;
    this is that of Rényi's entropy of order 2 of s², and needs products alone: (tr G)²/tr G² of the Gram matrix G.
    """
    if min(units.shape) < LEAST_UNITS:
        return math.nan
    # A fine-tune may change the rank by a millionth, which single precision would lose.
    wide = (units if units.shape[0] <= units.shape[1] else units.T).astype(np.float64)
    gram = wide @ wide.T
    squares = float(np.sum(gram**2))
    return float(np.trace(gram)) ** 2 / squares if squares > 0 else math.nan


def chosen_units(values: FloatArray, tensor: TensorPair) -> FloatArray:
    """The units of a whole tensor that the permutation test looks at, shape (units, inputs)."""
    found = _Units(tensor)
    found.add(values.reshape(-1))
    return found.values


class _Units:
    """Collects evenly spaced rows of a matrix, and of each its first elements, from a stream of its values."""

    def __init__(self, tensor: TensorPair) -> None:
        self._length = tensor.size // tensor.rows if tensor.rows else 0
        count = min(tensor.rows, UNITS)
        self._rows = np.arange(count) * tensor.rows // max(count, 1)
        self.values: FloatArray = np.zeros((count, min(self._length, UNIT_LENGTH)), dtype=np.float32)
        self._size = tensor.size
        self._start = 0

    def add(self, piece: FloatArray) -> None:
        """Take the next ``piece``, shape (n,)."""
        if piece.size == self._size and self._length:
            self.values[:] = piece.reshape(-1, self._length)[self._rows, : self.values.shape[1]]
            return
        end = self._start + piece.size
        for kept, row in zip(self.values, self._rows, strict=True):
            first = int(row) * self._length
            low, high = max(first, self._start), min(first + kept.size, end)
            if low < high:
                kept[low - first : high - first] = piece[low - self._start : high - self._start]
        self._start = end


def permutation_z(a: FloatArray, b: FloatArray) -> float:
    """How far the units of ``a`` agree with the same units of ``b``, shapes (units, inputs), beyond any other units.

    The sum of inner products of equal units, against its mean and standard deviation over all permutations of ``b``'s
    units (Hoeffding, "A combinatorial central limit theorem", 1951). Hidden units of independent trainings come in no
    common order, so theirs is about standard normal, however few dimensions the weights really use; the idea is that of
    "Independence Tests for Language Models" (ICML 2025). 0 where there are fewer than ``LEAST_UNITS``.
    """
    return agreement(Rows.of(a), Rows.of(b))


@dataclass(frozen=True, slots=True)
class Rows:
    """One side of the permutation test: units less their mean, shape (units, inputs), and the norm of all."""

    centred: FloatArray
    norm: np.floating[Any]

    @classmethod
    def of(cls, units: FloatArray) -> Rows:
        """Of units, shape (units, inputs)."""
        return cls(units - units.mean(axis=0) if len(units) >= LEAST_UNITS else units, np.linalg.norm(units))


def agreement(a: Rows, b: Rows) -> float:
    """See :func:`permutation_z`."""
    count = len(a.centred)
    if count < LEAST_UNITS:
        return 0.0
    products = a.centred @ b.centred.T
    matched = float(np.trace(products))
    # Rows and columns of the products sum to 0, so over permutations the sum has mean 0, variance Σ products²/(n - 1).
    # The matched pairs are left out, since those of relatives would inflate the null that they are held against;
    # n/(n - 1) makes up for their number.
    others = float(np.sum(products**2) - np.sum(np.diag(products) ** 2))
    deviation = math.sqrt(max(others, 0.0) * count) / (count - 1)
    scale = float(a.norm * b.norm)
    return matched / max(deviation, 1e-6 * scale) if scale > 0 else 0.0
