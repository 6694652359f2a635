"""What the learned detector says of a pair: which side it takes for the other's nearest ancestor."""

from __future__ import annotations

import math

from lineage_graph.types import Detection

SILENT = 1e-3
"""Probability below which the detector says no more than that it is not so."""


def measure(pair: Detection) -> dict[str, float]:
    """``detector.parent``: probability, 0 to 1, that one of the two is the nearest ancestor of the other among that
    one's candidates, from the likelier side. ``detector.direction``: ln of a's probability over b's.

    The idea: Neural Lineage (CVPR 2024), Sec. 4; asked both ways, since nobody says which one is the child.
    """
    ahead, back = max(pair.forward, SILENT), max(pair.backward, SILENT)
    return {"detector.parent": max(pair.forward, pair.backward), "detector.direction": math.log(ahead / back)}
