"""How much of a pair had to be laid out anew, or matched unit by unit, before it could be compared."""

from __future__ import annotations

import math

from lineage_graph.signals.base import PairContext
from lineage_graph.signals.distance import cosine_z


def measure(pair: PairContext) -> dict[str, float]:
    """``laid_out``: share of the aligned elements that were compared in another layout, hidden units in another order
    or scale among them, 0 to 1. ``units``: share of the matrices' elements whose units were matched; ``units_z``: their
    agreement beyond chance, which allows for the matching. Absent where nothing had to be.

    ``spread_gain``: variance of the ln of the norms of b's units less that of a's, mean over the matrices whose units
    had to be scaled back, by size: random scales make norms more unequal than training left them.
    """
    laid = [tensor for tensor in pair.tensors if tensor.layout]
    if not laid:
        return {}
    signals = {"laid_out": sum(t.size for t in laid) / sum(t.size for t in pair.tensors)}
    matched = [tensor for tensor in pair.matrices if tensor.layout.startswith("units")]
    if matched:
        signals["units"] = sum(t.size for t in matched) / sum(t.size for t in pair.matrices)
        signals["units_z"] = cosine_z(matched)
    scaled = [tensor for tensor in matched if not math.isnan(tensor.spread)]
    if scaled:
        signals["spread_gain"] = sum(t.size * t.spread for t in scaled) / sum(t.size for t in scaled)
    return signals
