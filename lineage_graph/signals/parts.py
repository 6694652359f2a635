"""A backbone inside a larger network: a neck or a second tower that was set beside it."""

from __future__ import annotations

from collections.abc import Set

from lineage_graph.signals.base import PairContext
from lineage_graph.types import Fingerprint

LEAST_ADDED = 1e-3
"""Share of the larger backbone from which something was added: tables that some formats leave out are smaller."""


def measure(pair: PairContext) -> dict[str, float]:
    """``parts_added``: where all of a's matrices go on in b, and were trained, and b has more that a lacks, the share
    of these in b, 0 to 1; negative the other way round. Absent where either side has matrices of its own, and where
    what goes on is equal: a backbone that was taken out of a larger network is.

    Heads are left out on both sides.
    """
    going_on = pair.without_replaced
    if not any(tensor.squared_distance for tensor in going_on.matrices):
        return {}
    left_a = _left(pair.a, {one.spec.name for one, _ in going_on.aligned})
    left_b = _left(pair.b, {other.spec.name for _, other in going_on.aligned})
    if min(left_a, left_b) > 0 or max(left_a, left_b) < LEAST_ADDED:
        return {}
    return {"parts_added": left_b if left_b > left_a else -left_a}


def _left(fingerprint: Fingerprint, going_on: Set[str]) -> float:
    """Share of the backbone's matrices that are not among those of the names ``going_on``."""
    sizes = {one.spec.name: one.spec.size for one in fingerprint.backbone if one.is_matrix}
    return sum(size for name, size in sizes.items() if name not in going_on) / max(sum(sizes.values()), 1)
