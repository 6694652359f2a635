"""How near two models are in weight space."""

from __future__ import annotations

import math

from lineage_graph.signals.base import PairContext
from lineage_graph.types import TensorComparison


def measure(pair: PairContext) -> dict[str, float]:
    """``distance``: ‖a - b‖ / √(‖a‖‖b‖) over all aligned weights, 0 to ∞ (√2 for strangers of equal norm).

    ``scale``: ln(‖b‖/‖a‖). ``cosine``: mean centred cosine of the aligned matrices, weighted by size, -1 to 1.
    ``cosine_z``: that mean in standard deviations of its null, in which every output unit's inner product keeps its
    size and tosses a coin for its sign (units of independent trainings have no common sign; the spirit is that of the
    exchangeability tests of "Independence Tests for Language Models", ICML 2025).
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
    """Mean cosine over its standard deviation if all rows tossed coins for their signs; at most √(number of rows)."""
    weights = [math.sqrt(t.size) for t in matrices]
    spread = math.sqrt(sum(w * w * t.row_squares for w, t in zip(weights, matrices, strict=True)))
    total = sum(w * t.cosine for w, t in zip(weights, matrices, strict=True))
    return total / spread if spread > 0 else 0.0
