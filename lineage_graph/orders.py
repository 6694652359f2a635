"""Which of two models their relatives share the layout with: it is the older one.

Training keeps the order, scale and layout of hidden units, so what descends from a model, and what it descends from,
lies as it does. A copy whose units were permuted, rescaled or stored otherwise lies unlike all of them, until it has
descendants of its own. One pair alone tells that units were moved, and not in which of the two.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lineage_graph.types import PairEvidence

LEAST_LAID_OUT = 0.1
"""Share of weights in another layout from which two models do not lie alike."""

LEAST_COSINE = 0.5
"""Between relatives that may tell; it is where further pairs are looked for, too (see ``second_look``)."""

FOLDED = 0.99
"""Share of equal profiles of a copy into which other tensors were multiplied; its layout is the same."""

ROUNDING = 0.01
"""Difference of ln distances that says nothing."""

Signals = Mapping[str, float]


def with_orders(measured: Sequence[PairEvidence]) -> list[PairEvidence]:
    """The pairs, those in unlike layouts with one more signal, where they have common relatives.

    ``order_lost``: the share of the weights in which b lies unlike their common relatives, minus that of a, on average
    over these, -1 to 1; > 0 where b was moved. Where norms were multiplied into one side, which is farther from each
    relative counts instead.
    """
    near: dict[str, dict[str, Signals]] = defaultdict(dict)
    for pair in measured:
        if pair.signals.get("cosine", 0.0) >= LEAST_COSINE or pair.signals.get("same_profile", 0.0) >= FOLDED:
            near[pair.a][pair.b] = near[pair.b][pair.a] = pair.signals
    return [_told(pair, list(_lost(pair, near[pair.a], near[pair.b]))) for pair in measured]


def _lost(pair: PairEvidence, of_a: Mapping[str, Signals], of_b: Mapping[str, Signals]) -> Iterator[float]:
    """What each common relative says."""
    moved = pair.signals.get("laid_out", 0.0) >= LEAST_LAID_OUT
    folded = pair.signals.get("same_profile", 0.0) >= FOLDED
    if pair.b not in of_a or not (moved or folded):
        return
    for third in sorted(of_a.keys() & of_b.keys()):
        if moved:
            yield of_b[third].get("laid_out", 0.0) - of_a[third].get("laid_out", 0.0)
        else:
            farther = math.log(max(_distance(of_b[third]), 1e-9) / max(_distance(of_a[third]), 1e-9))
            yield math.copysign(1.0, farther) if abs(farther) > ROUNDING else 0.0


def _distance(signals: Signals) -> float:
    return signals.get("distance", 0.0)


def _told(pair: PairEvidence, said: Sequence[float]) -> PairEvidence:
    mean = math.fsum(said) / len(said) if said else 0.0
    return replace(pair, signals={**pair.signals, "order_lost": mean}) if mean else pair
