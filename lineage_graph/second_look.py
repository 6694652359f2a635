"""Pairs that the first comparison makes worth a look: the relatives of a model that was laid out anew, or whose units
were reordered, are far from it in every sketch, and so are known only through the one that was found.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from lineage_graph.types import CandidatePair, PairEvidence

LEAST_LAID_OUT = 0.1
LEAST_COSINE = 0.5
"""Share of weights in another layout, and cosine, from which a pair leads to others."""

MOST = 12
"""Pairs that are proposed for one model, the nearest first."""


def propose(measured: Sequence[PairEvidence], digests: Mapping[str, str]) -> list[CandidatePair]:
    """For each pair in another layout, either model with the other's near relatives, where they were not compared yet.

    Nearness: squared distances over both steps, which add up along a lineage. ``digests``: of each model's fingerprint;
    they put the two of a pair in order.
    """
    near: dict[str, dict[str, float]] = defaultdict(dict)
    for pair in measured:
        if pair.signals.get("cosine", 0.0) >= LEAST_COSINE:
            near[pair.a][pair.b] = near[pair.b][pair.a] = pair.signals.get("distance", 2.0) ** 2
    known = {frozenset((pair.a, pair.b)) for pair in measured}
    lengths: dict[frozenset[str], float] = {}
    for pair in measured:
        if pair.signals.get("laid_out", 0.0) >= LEAST_LAID_OUT and pair.b in near[pair.a]:
            for one, other in ((pair.a, pair.b), (pair.b, pair.a)):
                for third, squared in near[other].items():
                    key = frozenset((one, third))
                    if third != one and key not in known:
                        lengths[key] = min(squared + near[one][other], lengths.get(key, float("inf")))
    return _nearest(lengths, digests)


def _nearest(lengths: Mapping[frozenset[str], float], digests: Mapping[str, str]) -> list[CandidatePair]:
    ordered = {key: sorted(key, key=lambda name: digests[name]) for key in lengths}
    taken: Counter[str] = Counter()
    pairs: list[CandidatePair] = []
    for key in sorted(lengths, key=lambda key: (lengths[key], [digests[name] for name in ordered[key]])):
        a, b = ordered[key]
        if min(taken[a], taken[b]) < MOST:
            taken.update((a, b))
            pairs.append(CandidatePair(a, b, 0.0))
    return pairs
