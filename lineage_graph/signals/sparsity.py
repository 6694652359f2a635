"""Pruning: the side that has weights set to zero is the child."""

from __future__ import annotations

import math

from lineage_graph.signals.base import PairContext

LEAST_SPARSITY = 0.05
"""Zeros that pruning leaves; fewer come about by themselves."""


CHANNELS = "channels"
"""``layout`` of a comparison in which units of one side were left out (see ``channels``)."""


def measure(pair: PairContext) -> dict[str, float]:
    """``sparsity_gain``: share of exact zeros in b's aligned matrices minus that in a's, where beyond
    ``LEAST_SPARSITY``.

    ``masked``: then also (‖a‖² - ‖b‖²)/‖a - b‖² over the matrices whose zeros differ, -1 to 1: 1 where b is a with
    weights taken out and the others left as they were (then cosine² = ‖b‖²/‖a‖²), -1 where a is b so, between after
    more training. Absent where one side is rescaled too far for that.

    ``units_lost``: share of the compared tensors' elements that b lacks because units were taken out; < 0 where a does.
    """
    matrices = [(a, b, t) for (a, b), t in zip(pair.aligned, pair.tensors, strict=True) if t.rows]
    if not matrices:
        return {}
    signals = _units_lost(pair)
    gain = sum(t.size * (b.zeros - a.zeros) for a, b, t in matrices) / sum(t.size for _, _, t in matrices)
    if abs(gain) < LEAST_SPARSITY:
        return signals
    signals["sparsity_gain"] = gain
    cut = [t for a, b, t in matrices if abs(b.zeros - a.zeros) >= LEAST_SPARSITY]
    squared = sum(t.squared_distance for t in cut)
    masked = sum(t.squared_norm_a - t.squared_norm_b for t in cut) / squared if squared > 0 else math.inf
    if abs(masked) <= 1 + 1e-3:
        signals["masked"] = masked
    return signals


def _units_lost(pair: PairContext) -> dict[str, float]:
    if all(t.layout != CHANNELS for t in pair.tensors):
        return {}
    of_a, of_b = (sum(x.spec.size for x in side) for side in zip(*pair.aligned, strict=True))
    return {"units_lost": (of_a - of_b) / max(of_a, of_b)}
