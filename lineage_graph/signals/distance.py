"""How near two models are in weight space."""

from __future__ import annotations

import math

from lineage_graph.signals.base import PairContext
from lineage_graph.types import TensorComparison


def measure(pair: PairContext) -> dict[str, float]:
    """``distance``: ‖a - b‖ / √(‖a‖‖b‖) over all aligned weights, 0 to ∞ (√2 for strangers of equal norm). Replaced
    parts stay in: they add as much to every pair of a family, while leaving them out pair by pair would compare
    distances over different weights, and the more a pair has drifted the nearer it would look.


    ``scale``: ln(‖b‖/‖a‖). ``cosine``: mean centred cosine of the aligned matrices, weighted by size, -1 to 1.
    ``cosine_z``: agreement beyond chance over all matrices, in standard deviations of the permutation null (Stouffer's
    sum of the matrices' z, weighted by √units).
    """
    signals: dict[str, float] = {}
    norm_a = sum(t.squared_norm_a for t in pair.tensors)
    norm_b = sum(t.squared_norm_b for t in pair.tensors)
    if norm_a > 0 and norm_b > 0:
        squared = sum(t.squared_distance for t in pair.tensors)
        signals["distance"] = math.sqrt(squared / math.sqrt(norm_a * norm_b))
        signals["scale"] = 0.5 * math.log(norm_b / norm_a)
    if pair.matrices:
        signals["cosine"] = mean_cosine(pair.matrices)
        signals["cosine_z"] = cosine_z(pair.matrices)
    return signals


def mean_cosine(matrices: list[TensorComparison]) -> float:
    """Size-weighted mean of the centred cosines, -1 to 1."""
    return sum(t.size * t.cosine for t in matrices) / sum(t.size for t in matrices)


def cosine_z(matrices: list[TensorComparison]) -> float:
    """Stouffer's combination of the matrices' z: standard normal if all of them are independent and null."""
    return sum(math.sqrt(t.rows) * t.z for t in matrices) / math.sqrt(sum(t.rows for t in matrices))
