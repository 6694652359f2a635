"""The scales of matched units: ReLU networks compute the same where a unit is scaled and what reads it is scaled back.

(Positive homogeneity; see Neyshabur, Salakhutdinov & Srebro, "Path-SGD", NIPS 2015, Sec. 2.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from lineage_graph.types import FloatArray
from lineage_graph.units import Balanced, Matching, Order

GAIN = 0.5
"""Scales are taken for real where they leave less than this share of the squared distance."""

CLEAR_GAIN = 0.2
"""The same where nothing else speaks for it: training alone makes some units larger than others."""

LEAST_SPREAD = 0.1
"""Spread of the logarithms of the scales below which they are what training leaves."""

SAME_RATIO = 1e-3
"""Largest difference of the logarithms of equal factors: rounding of small values included."""

EXACT = 1e-10
"""Squared distance over squared norm that is rounding: nothing is left for scales to explain."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """``values``: b's, matched and scaled. ``scales``: (order, factor) of the units on both sides of the matrix, as
    vectors that belong to these units carry them.
    """

    values: FloatArray
    scales: tuple[tuple[Order, FloatArray], ...]


@dataclass(frozen=True, slots=True)
class LaidVector:
    """A vector of b in the order and scale of a's units."""

    values: FloatArray
    layout: str


def rescaled(
    x: Balanced, y: Balanced, a: FloatArray, b: FloatArray, matching: Matching, gain: float = GAIN
) -> Scaled | None:
    """``b``, whose units are matched, in the scale of ``a``; ``None`` where no scale is needed.

    ``x``, ``y``: both balanced, before matching. The scales that balancing took off both sides are compared; where one
    side was not scaled, the common factor goes to the other.
    """
    apart = _apart(a, b)
    if apart <= EXACT * float(np.sum(a**2)):
        return None
    rows = x.rows - y.rows[matching.rows]
    columns = x.columns - y.columns[matching.columns]
    if max(np.std(rows), np.std(columns)) < LEAST_SPREAD:
        return None
    if np.std(rows) < np.std(columns):
        rows, columns = rows - rows.mean(), columns + rows.mean()
    else:
        rows, columns = rows + columns.mean(), columns - columns.mean()
    factor = np.exp(rows[:, None, None] + columns[None, :, None])
    values = (b.reshape(len(rows), len(columns), -1) * factor).astype(np.float32).reshape(b.shape)
    if not np.isfinite(values).all() or _apart(a, values) > gain * apart:
        return None
    # What reads a unit is scaled back: the vectors of that unit carry the inverse of its readers' factor.
    return Scaled(values, ((matching.rows, np.exp(rows)), (matching.columns, np.exp(-columns))))


def vector_like(
    a: FloatArray, b: FloatArray, orders: Sequence[Order], scales: Sequence[tuple[Order, FloatArray]]
) -> LaidVector | None:
    """``b`` in the order of the units that brings it nearest to ``a``, scaled where that explains what is left.

    ``None`` where it is nearest as it is.
    """
    before = _apart(a, b)
    plain = min((b[order] for order in orders), key=lambda values: _apart(a, values), default=b)
    scaled = min((_fitted(a, b[order] * scale) for order, scale in scales), key=lambda v: _apart(a, v), default=b)
    left = min(_apart(a, plain), before)
    if left > EXACT * float(np.dot(a, a)) and _apart(a, scaled) < GAIN * left:
        return LaidVector(scaled, "units, scaled")
    return LaidVector(plain, "units") if left < before else None


def shared_scales(
    vectors: Sequence[tuple[FloatArray, FloatArray]], orders: Sequence[Order]
) -> list[tuple[Order, FloatArray]]:
    """Scales that matrices do not tell, because what reads the units is not compared: two vectors of one layer (a, b),
    its scale and its bias, tell them if b must be multiplied by the same positive factors in both, to the digit.
    """
    found: list[tuple[Order, FloatArray]] = []
    for order in orders:
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = [np.log(a / b[order]) for a, b in vectors]
        ratios = [ratio for ratio in ratios if np.isfinite(ratio).all() and np.std(ratio) >= LEAST_SPREAD]
        for one, other in combinations(ratios, 2):
            if float(np.max(np.abs(one - other))) < SAME_RATIO:
                found.append((order, np.exp((one + other) / 2)))
    return found


def _apart(a: FloatArray, b: FloatArray) -> float:
    return float(np.sum((a - b) ** 2))


def _fitted(a: FloatArray, b: FloatArray) -> FloatArray:
    """The common factor of a chain's scales is unknown: the one that fits best."""
    square = float(np.dot(b, b))
    fitted: FloatArray = (b * np.float32(float(np.dot(a, b)) / square if square > 0 else 1.0)).astype(np.float32)
    return fitted
