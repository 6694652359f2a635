"""Which of two models their relatives share the layout, or the file format, with: it is the older one.

Training keeps the order, scale and layout of hidden units, so what descends from a model, and what it descends from,
lies as it does. A copy whose units were permuted, rescaled or stored otherwise lies unlike all of them, until it has
descendants of its own. One pair alone tells that units were moved, and not in which of the two. So it is with equal
weights in two formats: a family's trainings are mostly stored by one program, and a converted copy is alone in its
format.
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


def with_orders(measured: Sequence[PairEvidence], formats: Mapping[str, str]) -> list[PairEvidence]:
    """The pairs, those in unlike layouts and those of equal weights in two formats with one more signal each, where
    they have common relatives. ``formats``: of the files, by model.

    ``order_lost``: the share of the weights in which b lies unlike their common relatives, minus that of a, on average
    over these, -1 to 1; > 0 where b was moved. Where norms were multiplied into one side, which is farther from each
    relative counts instead. ``format_lost``: the share of common relatives in a's format less that in b's, -1 to 1.
    """
    near: dict[str, dict[str, Signals]] = defaultdict(dict)
    for pair in measured:
        if pair.signals.get("cosine", 0.0) >= LEAST_COSINE or pair.signals.get("same_profile", 0.0) >= FOLDED:
            near[pair.a][pair.b] = near[pair.b][pair.a] = pair.signals
    told = []
    for pair in measured:
        of_a, of_b = near[pair.a], near[pair.b]
        means = {
            "order_lost": _mean(_lost(pair, of_a, of_b)),
            "format_lost": _mean(_converted(pair, of_a, of_b, formats)),
        }
        said = {name: mean for name, mean in means.items() if mean}
        told.append(replace(pair, signals={**pair.signals, **said}) if said else pair)
    return told


def _converted(
    pair: PairEvidence, of_a: Mapping[str, Signals], of_b: Mapping[str, Signals], formats: Mapping[str, str]
) -> Iterator[float]:
    """What each common relative's format says of two files of equal weights."""
    if pair.signals.get("identical") == 1.0 and formats[pair.a] != formats[pair.b]:
        for third in sorted(of_a.keys() & of_b.keys()):
            yield float(formats[third] == formats[pair.a]) - float(formats[third] == formats[pair.b])


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


def _mean(said: Iterator[float]) -> float:
    values = list(said)
    return math.fsum(values) / len(values) if values else 0.0
