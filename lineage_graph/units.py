"""Which hidden unit of one matrix answers to which of another, whatever their order and scale.

Rows and columns are first scaled to equal norms, which undoes any positive scaling of units (Sinkhorn & Knopp,
"Concerning nonnegative matrices and doubly stochastic matrices", 1967, on the squares). A first guess comes from the
sorted values of each row, which no order of the columns changes; then columns and rows are assigned in turns (Ainsworth
et al., "Git Re-Basin", ICLR 2023, Sec. 3.2, here for one matrix at a time, so that no architecture need be known).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lineage_graph.types import FloatArray

Order = npt.NDArray[np.int64]

LEAST_AXIS = 8
LARGEST_AXIS = 2048
"""Units that an assignment (cubic) is made between: fewer tell nothing, more cost too much."""

ROUNDS = 8
"""Turns after which the assignment of rows and columns is taken as it is; true partners settle in three or four."""

_QUANTILES = 32
_BALANCING = 30
_ZERO = 1e-12
_CONTRACTED = 4096


@dataclass(frozen=True, slots=True)
class Matching:
    """``b[rows][:, columns]`` answers to ``a``. ``cosine``: of the balanced values, -1 to 1; above 0 for strangers too,
    since their partners are chosen.
    """

    rows: Order
    columns: Order
    cosine: float


@dataclass(frozen=True, slots=True)
class Balanced:
    """A matrix whose rows and columns all have the same norm. ``values``: shape (outputs, inputs, places), of norm 1;
    ``rows``, ``columns``: ln of the scale that was taken off each.
    """

    values: FloatArray
    rows: FloatArray
    columns: FloatArray


def cube(values: FloatArray) -> FloatArray:
    """A weight matrix as (outputs, inputs, places in the kernel); leading dimensions of 1 are left out."""
    outputs, inputs = _sides(values.shape)
    return values.reshape(outputs, inputs, -1)


def _sides(shape: tuple[int, ...]) -> tuple[int, int]:
    while len(shape) > 2 and shape[0] == 1:
        shape = shape[1:]
    return shape[0], shape[1]


def matchable(shape: tuple[int, ...]) -> bool:
    """Has the matrix units enough to be told apart, not too many, and more than one value of each?"""
    if len(shape) < 2:
        return False
    sides = _sides(shape)
    return LEAST_AXIS <= max(sides) <= LARGEST_AXIS and math.prod(shape) > max(sides)


def cost(shape: tuple[int, ...]) -> int:
    """What matching costs, in no unit: assignments are cubic in the longer side."""
    return max(_sides(shape)) ** 3


def balance(values: FloatArray) -> Balanced:
    """Scale rows and columns of a cube to equal norms. What is all zeros stays so."""
    squares = np.einsum("oik,oik->oi", values, values).astype(np.float64)
    outputs, inputs = squares.shape
    squares /= max(float(squares.mean()), 1e-300)
    columns = np.ones(inputs)
    for _ in range(_BALANCING):
        # Sums that fit one another, or the factors would drift apart: inputs a row, outputs a column.
        rows = inputs / np.maximum(squares @ columns, _ZERO)
        columns = outputs / np.maximum(rows @ squares, _ZERO)
    scaled = values * np.sqrt(rows)[:, None, None] * np.sqrt(columns)[None, :, None]
    norm = max(float(np.linalg.norm(scaled)), 1e-30)
    half = 0.5 * np.log(norm)
    return Balanced(
        (scaled / norm).astype(np.float32),
        (half - 0.5 * np.log(rows)).astype(np.float32),
        (half - 0.5 * np.log(columns)).astype(np.float32),
    )


def match(a: FloatArray, b: FloatArray, thorough: bool = True) -> Matching:
    """The order of ``b``'s rows and columns in which it is most like ``a``; balanced cubes of one shape.

    A local optimum, from two starts: rows by their sorted values, and columns by theirs. Not ``thorough``: from the
    first alone, and in one round.
    """
    by_rows = settle(a, b, assign(_signatures(a), _signatures(b)), ROUNDS if thorough else 1)
    if a.shape[1] < 2 or by_rows.cosine > 0.999 or not thorough:
        return by_rows
    columns = assign(_signatures(a.transpose(1, 0, 2)), _signatures(b.transpose(1, 0, 2)))
    by_columns = settle(a, b, rows_given(a, b, columns))
    return max(by_rows, by_columns, key=lambda found: found.cosine)


def settle(a: FloatArray, b: FloatArray, rows: Order, rounds: int = ROUNDS) -> Matching:
    """Assign columns and rows in turns until nothing changes, from a first order of the rows."""
    columns = columns_given(a, b, rows)
    for _ in range(rounds):
        before = rows
        rows = rows_given(a, b, columns)
        if np.array_equal(before, rows):
            break
        columns = columns_given(a, b, rows)
    return Matching(rows, columns, cosine(a, b, rows, columns))


def rows_given(a: FloatArray, b: FloatArray, columns: Order) -> Order:
    """The best order of rows for an order of columns."""
    return assign(_flat(a), _flat(b[:, columns]))


def columns_given(a: FloatArray, b: FloatArray, rows: Order) -> Order:
    """The best order of columns for an order of rows."""
    return assign(_flat(a.transpose(1, 0, 2)), _flat(b[rows].transpose(1, 0, 2)))


def cosine(a: FloatArray, b: FloatArray, rows: Order, columns: Order) -> float:
    """Inner product of two balanced cubes, ``b`` in that order."""
    return float(np.vdot(a, b[rows][:, columns]))


def assign(a: FloatArray, b: FloatArray) -> Order:
    """For each row of ``a`` a row of ``b``, so that the sum of inner products is largest; shapes (units, d)."""
    from scipy.optimize import linear_sum_assignment

    found: Order = linear_sum_assignment(a @ b.T, maximize=True)[1]
    return found


def _flat(cube: FloatArray) -> FloatArray:
    """Rows of at most ``_CONTRACTED`` values, evenly spaced: the cost stays bounded."""
    flat = cube.reshape(len(cube), -1)
    return flat[:, :: -(-flat.shape[1] // _CONTRACTED)]


def _signatures(cube: FloatArray) -> FloatArray:
    """Each row's values in ascending order, place by place, less what is common to all rows; shape (rows, d)."""
    ordered = np.sort(cube, axis=1)
    if ordered.shape[1] > _QUANTILES:
        ordered = ordered[:, np.linspace(0, ordered.shape[1] - 1, _QUANTILES).round().astype(int)]
    flat = _flat(ordered)
    centred: FloatArray = flat - flat.mean(axis=0)
    return centred
