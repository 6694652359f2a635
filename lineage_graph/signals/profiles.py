"""Equal weights whose units were scaled or put in another order, as folding norms into the layers before them does."""

from __future__ import annotations

import numpy as np

from lineage_graph.signals.base import PairContext
from lineage_graph.types import FloatArray

EQUAL = 1e-5
"""Relative difference of quantiles that rounding makes: copies in float32 have 1e-7 to 1e-6."""

LEAST_DISTINCT = 8
"""Different quantiles of 16 that a profile must have to tell anything; weights of two or three values have fewer."""


def measure(pair: PairContext) -> dict[str, float]:
    """``same_profile``: share of the aligned matrices' elements in matrices whose profiles are equal up to rounding, 0
    to 1; absent where it is 0, or where all values are equal anyway. Strangers do not agree so in 16 numbers, and
    training changes them; permuting units and scaling them by their outputs does not.
    """
    matrices = [(a, b, t) for (a, b), t in zip(pair.aligned, pair.tensors, strict=True) if t.rows]
    if all(t.identical for _, _, t in matrices):
        return {}
    same = sum(t.size for a, b, t in matrices if _equal(a.profile, b.profile)) / sum(t.size for _, _, t in matrices)
    return {"same_profile": same} if same else {}


def _equal(a: FloatArray, b: FloatArray) -> bool:
    if a.size != b.size or np.any(np.abs(a - b) > 1e-9 + EQUAL * np.abs(b)):
        return False
    return np.unique(a).size >= LEAST_DISTINCT
