"""How reliable each direction cue is: measured on edges whose direction is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lineage_graph.calibration import CueReliability
from lineage_graph.fitting.regression import slope
from lineage_graph.scoring import CUES

MOST_LOG_ODDS = 4.0
"""What no cue alone is worth more than: 1 wrong in 55."""

LEAST_EDGES = 12
"""Edges from which a cue's own reliability is measured; the prior stands for rarer ones."""


@dataclass(frozen=True, slots=True)
class TrueEdge:
    """An edge of the truth with its ``signals``, turned so that they are positive where they speak for it.

    ``family``: of the truth, unique over all zoos.
    """

    family: str
    signals: Mapping[str, float]


def reliabilities(edges: Iterable[TrueEdge]) -> dict[str, CueReliability]:
    """By cue, for the cues that occur on enough edges."""
    strengths: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for edge in edges:
        for name, settings in CUES.items():
            if edge.signals.get(name):
                strengths[name].append((edge.family, max(-1.0, min(1.0, edge.signals[name] / settings.full))))
    return {
        name: _reliability(found, signed=CUES[name].sign_prior < 1)
        for name, found in sorted(strengths.items())
        if len(found) >= LEAST_EDGES
    }


def _reliability(found: Sequence[tuple[str, float]], *, signed: bool) -> CueReliability:
    """``found``: (family, strength). Where the sign differs between families, edges count against their family's sign
    as the other edges of the family give it.
    """
    right = sum(strength > 0 for _, strength in found)
    wrong = len(found) - right
    if not signed:
        worth = slope(np.array([strength for _, strength in found]))
        return CueReliability(min(max(worth, 0.0), MOST_LOG_ODDS), 1.0, right, wrong)
    by_family: dict[str, list[float]] = defaultdict(list)
    for family, strength in found:
        by_family[family].append(strength)
    sums = {family: sum(strengths) for family, strengths in by_family.items()}
    supposed = sum(total > 0 for total in sums.values())
    prior = max(0.5, (supposed + 1) / (len(sums) + 2))
    against = [
        strength * float(np.sign(sums[family] - strength))
        for family, strength in found
        if len(by_family[family]) > 1 and sums[family] != strength
    ]
    worth = slope(np.array(against)) if against else 0.0
    return CueReliability(min(max(worth, 0.0), MOST_LOG_ODDS), prior, right, wrong)
