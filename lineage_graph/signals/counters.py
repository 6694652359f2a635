"""Training counters in the checkpoint: a child has been trained for longer than its parent."""

from __future__ import annotations

import math

from lineage_graph.signals.base import PairContext


def measure(pair: PairContext) -> dict[str, float]:
    """``counter.<name>`` for every counter that both have and that differs: ln((b + 1)/(a + 1)), so > 0 for a → b.

    ``counters_equal``: 1 where all counters that both have are equal, and one has counted: so far no training of one
    has led to the other.
    """
    shared = sorted(pair.a.counters.keys() & pair.b.counters.keys())
    counted = [(name, pair.a.counters[name], pair.b.counters[name]) for name in shared]
    if counted and all(a == b for _, a, b in counted):
        return {"counters_equal": 1.0} if any(a > 0 for _, a, _ in counted) else {}
    return {f"counter.{name}": math.log((b + 1) / (a + 1)) for name, a, b in counted if a != b and min(a, b) >= 0}
