"""Pairs that lists of nearest neighbours have no room for, though a spanning tree may need them.

A far child of a big family has a list full of its own children, and so has its parent. One of these children may list
the grandparent, and the tree then goes by this detour. What could be missing is known: only between two models whose
lists both end before the detour's length.
"""

from __future__ import annotations

import numpy as np

from lineage_graph.scale.forest import spanning
from lineage_graph.scale.judged import Pairs
from lineage_graph.scale.population import Floats, Ints

MOST = 8
"""Of each end of a detour, the neighbours in the tree that are tried instead of it, the nearest first."""


def detours(count: int, pairs: Pairs, radius: Floats) -> tuple[Ints, Ints]:
    """Pairs worth measuring among ``count`` models. ``pairs``: the related ones; ``radius``: squared distance up to
    which each model's list is complete.
    """
    chosen = spanning(count, pairs.i, pairs.j, pairs.squared)
    # Each edge of the forest twice: from either end.
    at = np.concatenate([pairs.i[chosen], pairs.j[chosen]])
    to = np.concatenate([pairs.j[chosen], pairs.i[chosen]])
    squared = np.concatenate([pairs.squared[chosen]] * 2)
    order = np.lexsort((to, squared, at))
    at, to, squared = at[order], to[order], squared[order]
    # Stand-ins for ``at``: its neighbours whose lists are cut off, and which lie nearer than the far end of the detour.
    cut_off = np.isfinite(radius[to])
    stand_at, stand_in, stand_squared = at[cut_off], to[cut_off], squared[cut_off]
    starts = np.searchsorted(stand_at, np.arange(count + 1))
    far = radius[to] < squared
    ends, goals, lengths = at[far], to[far], squared[far]
    found: list[tuple[Ints, Ints]] = []
    for rank in range(MOST):
        place = starts[ends] + rank
        there = place < starts[ends + 1]
        place = np.where(there, place, 0)
        if not there.any():
            break
        useful = there & (stand_squared[place] < lengths) & (radius[stand_in[place]] < lengths)
        useful &= stand_in[place] != goals
        found.append((stand_in[place[useful]], goals[useful]))
    nothing = np.zeros(0, dtype=np.int64)
    return np.concatenate([nothing, *(a for a, _ in found)]), np.concatenate([nothing, *(b for _, b in found)])
