"""Training counters in the checkpoint: a child has been trained for longer than its parent."""

from __future__ import annotations

import math

from lineage_graph.signals.base import PairContext


def measure(pair: PairContext) -> dict[str, float]:
    """``counter.<name>`` for every counter that both have and that differs: ln((b + 1)/(a + 1)), so > 0 for a → b."""
    return {
        f"counter.{name}": math.log((pair.b.counters[name] + 1) / (pair.a.counters[name] + 1))
        for name in sorted(pair.a.counters.keys() & pair.b.counters.keys())
        if pair.a.counters[name] != pair.b.counters[name] and min(pair.a.counters[name], pair.b.counters[name]) >= 0
    }
