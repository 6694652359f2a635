"""How many directions the weights use: training gathers them in fewer."""

from __future__ import annotations

import math

from lineage_graph.signals.base import PairContext, agrees


def measure(pair: PairContext) -> dict[str, float]:
    """``rank_loss``: mean of ln(rank of a / rank of b) over the matrices that changed and yet agree, by size, over
    their squared relative distance ‖a - b‖²/(‖a‖‖b‖), so that it says the same of short and long trainings; > 0 where b
    uses fewer directions. Ranks are effective ones (see ``comparison.effective_rank``), which no common factor changes.
    Absent where no rank was measured.

    TensorLock (2026) takes the model of lower effective rank for the parent; in grown zoos the child's is lower.
    """
    ranked = [t for t in pair.without_replaced.matrices if agrees(t) and not math.isnan(t.rank_a + t.rank_b)]
    if not ranked:
        return {}
    lost = sum(t.size * math.log(t.rank_a / t.rank_b) for t in ranked) / sum(t.size for t in ranked)
    lengths = sum(math.sqrt(t.squared_norm_a * t.squared_norm_b) for t in ranked)
    return {"rank_loss": lost * lengths / sum(t.squared_distance for t in ranked)}
