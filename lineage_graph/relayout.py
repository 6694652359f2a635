"""Comparison of tensors whose values lie in another order: the layout is chosen by content, and pays for the choice."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lineage_graph import layouts
from lineage_graph.comparison import TensorPair, compare_arrays, units
from lineage_graph.layouts import Choice
from lineage_graph.signals.base import LEAST_COSINE, LEAST_Z
from lineage_graph.types import FloatArray, TensorComparison


def forced(a: FloatArray, b: FloatArray, pair: TensorPair) -> TensorComparison:
    """Compare two tensors of different shapes in the layout that fits best, be it no better than chance."""
    choice = layouts.choose(a, b)
    if choice is None:
        raise ValueError(f"no layout for shapes {a.shape} and {b.shape}")
    return _compared(a, b, pair, choice)


def preferred(a: FloatArray, b: FloatArray, pair: TensorPair, as_is: TensorComparison) -> TensorComparison:
    """Compare two tensors of one shape in another layout, where that agrees beyond chance and clearly better than
    ``as_is``, which is returned otherwise.
    """
    choice = layouts.choose(a, b, LEAST_COSINE)
    if choice is None or _gain(choice.cosine, as_is.cosine, a.size) < choice.tried:
        return as_is
    found = _compared(a, b, pair, choice)
    if found.cosine <= as_is.cosine:
        return as_is
    return found if found.z >= LEAST_Z or not found.rows else as_is


def _gain(cosine: float, before: float, size: int) -> float:
    """How often chance would have to be tried for such a gain in correlation: the inverse of its tail, beyond
    ``LEAST_Z`` standard deviations (Fisher's z transformation, √(n - 3) · artanh).
    """
    limit = 1 - 1e-7
    gain = math.atanh(min(cosine, limit)) - math.atanh(max(-limit, min(before, limit)))
    z = gain * math.sqrt(max(min(size, layouts.SAMPLE) - 3, 1) / 2)
    return math.exp(min((z * z - LEAST_Z**2) / 2, 700.0)) if z > 0 else 0.0


def _compared(a: FloatArray, b: FloatArray, pair: TensorPair, choice: Choice) -> TensorComparison:
    x, y = layouts.laid_out(a, b, choice.layout)
    rows = units(x.shape) if pair.rows else 0
    pair = replace(pair, size=x.size, rows=rows, mean_a=float(np.mean(x)), mean_b=float(np.mean(y)))
    found = compare_arrays(x, y, pair)
    return replace(found, layout=choice.layout.name, z=layouts.best_of(found.z, choice.tried))
