"""Likeness in function space, without and with the linear approximation of fine-tuning."""

from __future__ import annotations

import math

from lineage_graph.types import FeatureComparison


def measure(pair: FeatureComparison) -> dict[str, float]:
    """``features.l1``, ``features.cka``: without approximation. ``linearized.l1``, ``linearized.cka``: with it, from
    the side from which it holds better (Neural Lineage, CVPR 2024, Sec. 3.2). Distances are in units of the features'
    spread, 0 to infinity; CKA is 0 to 1.

    ``linearized.asymmetry``: ln of a's residual over b's: which side the linearization fails from.
    ``linearized.taylor``: 1 where the network has no forward mode and the linearization is the paper's Taylor form: its
    distances are lower bounds; absent where it is exact.
    """
    values = {
        "features.l1": pair.plain,
        "features.cka": pair.cka_plain,
        "linearized.l1": min(pair.forward, pair.backward),
        "linearized.cka": max(pair.cka_forward, pair.cka_backward),
    }
    if pair.forward > 0 and pair.backward > 0:
        values["linearized.asymmetry"] = math.log(pair.forward / pair.backward)
    if pair.form == "taylor":
        values["linearized.taylor"] = 1.0
    return {name: value for name, value in values.items() if math.isfinite(value)}
