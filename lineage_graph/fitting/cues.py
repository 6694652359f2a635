"""How reliable each direction cue is: measured on edges whose direction is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lineage_graph.calibration import CueReliability
from lineage_graph.fitting.regression import slope
from lineage_graph.scoring import CUES, CueSettings, prior

MOST_LOG_ODDS = 4.0
"""What no cue alone is worth more than: 1 wrong in 55."""

BY_CONSTRUCTION = frozenset(["parts_added", "format_lost"])
"""Cues that grown zoos cannot tell the worth of, since their recipes never do the contrary: the priors stand."""

LEAST_EDGES = 12
"""Edges from which a cue's own reliability is measured; the prior stands for rarer ones."""


@dataclass(frozen=True, slots=True)
class TrueEdge:
    """An edge of the truth. ``strengths``: by cue that is heard, from -1 to 1, positive where it speaks for the edge.

    ``family``: of the truth, unique over all zoos. ``kind``: what the weights call the edge.
    """

    family: str
    kind: str
    strengths: Mapping[str, float]


def reliabilities(edges: Iterable[TrueEdge]) -> dict[str, CueReliability]:
    """By cue, for the cues that occur on enough edges; ``<cue>@snapshot``: between states of one run alone, for cues
    whose sign is known.
    """
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for edge in edges:
        for name, strength in edge.strengths.items():
            if strength and name not in BY_CONSTRUCTION:
                found[name].append((edge.family, strength))
                if edge.kind == "snapshot" and CUES[name].sign_prior == 1:
                    found[f"{name}@snapshot"].append((edge.family, strength))
    return {
        name: _reliability(strengths, prior(*name.partition("@")[::2]))
        for name, strengths in sorted(found.items())
        if len(strengths) >= LEAST_EDGES
    }


def _reliability(found: Sequence[tuple[str, float]], usual: CueSettings) -> CueReliability:
    """``found``: (family, strength). Where the sign differs between families, edges count against their family's sign
    as the other edges of the family give it. A cue that was never wrong keeps its prior where that is higher: these
    are arithmetic rather than habit, and a few edges could not show it.
    """
    right = sum(strength > 0 for _, strength in found)
    wrong = len(found) - right
    if usual.sign_prior == 1:
        worth = slope(np.array([strength for _, strength in found]))
        worth = max(worth, usual.log_odds) if wrong == 0 else worth
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
