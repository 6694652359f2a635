"""What names, dates and declarations say. Evidence only where metadata is allowed; never trusted alone."""

from __future__ import annotations

from lineage_graph.types import Checkpoint


def measure(a: Checkpoint, b: Checkpoint) -> dict[str, float]:
    """``created``: days from a's date to b's, where both are given and differ. ``declared``: 1 where b declares a as
    its parent, -1 where a declares b.
    """
    signals: dict[str, float] = {}
    if a.created and b.created and a.created != b.created:
        signals["created"] = float((b.created - a.created).days)
    claims = (a.id in b.declared_parents) - (b.id in a.declared_parents)
    if claims:
        signals["declared"] = float(claims)
    return signals
