"""How firmly the edges of a forest are there: :func:`lineage_graph.stability.alternatives` over arrays.

A pair outside the forest could stand in for every edge on the way between its ends. Each half of that way, up to where
the two halves meet, is covered by two runs of 2^k edges, which may overlap; runs are then split into halves, from the
longest down, so that the least of all pairs reaches every edge (as in a sparse table for range minima).
"""

from __future__ import annotations

import numpy as np

from lineage_graph.scale.forest import Walk
from lineage_graph.scale.population import Floats, Ints
from lineage_graph.stability import MOST

CHUNK = 1 << 20
"""Pairs at a time."""


def alternatives(walk: Walk, u: Ints, v: Ints, squared: Floats) -> Floats:
    """By node: the least squared length of the pairs (u, v) outside the forest that join the two sides of the edge to
    its parent in the walk; ∞ where none does.
    """
    depth = np.zeros(len(walk.parent), dtype=np.int64)
    for level, nodes in enumerate(walk.downward(), start=1):
        depth[nodes] = level
    above = _ancestors(walk, int(depth.max(initial=0)))
    least = np.full((len(above), len(depth)), np.inf)
    same = np.flatnonzero(walk.tree[u] == walk.tree[v])
    for start in range(0, len(same), CHUNK):
        part = same[start : start + CHUNK]
        meeting = _meeting(above, depth, u[part], v[part])
        for end in (u[part], v[part]):
            _cover(least, above, end, depth[end] - depth[meeting], squared[part])
    for level in range(len(above) - 1, 0, -1):
        np.minimum(least[level - 1], least[level], out=least[level - 1])
        np.minimum.at(least[level - 1], above[level - 1], least[level])
    found: Floats = least[0]
    return found


def margin(squared: Floats, alternative: Floats) -> Floats:
    """Ln of the alternative over the length, both squared, 0 to ``MOST``: :func:`lineage_graph.stability.margin`."""
    with np.errstate(divide="ignore"):
        ratio = np.log(alternative / np.maximum(squared, 1e-300))
    return np.where(squared <= 0, MOST, np.clip(ratio, 0.0, MOST))


def _ancestors(walk: Walk, deepest: int) -> list[Ints]:
    """By k, each node's ancestor 2^k steps up; the top of its tree where there is none."""
    above = [np.where(walk.parent >= 0, walk.parent, np.arange(len(walk.parent)))]
    while 2 ** len(above) <= deepest:
        above.append(above[-1][above[-1]])
    return above


def _raised(above: list[Ints], nodes: Ints, steps: Ints) -> Ints:
    for level, up in enumerate(above):
        nodes = np.where(steps >> level & 1, up[nodes], nodes)
    return nodes


def _meeting(above: list[Ints], depth: Ints, u: Ints, v: Ints) -> Ints:
    """The lowest common ancestors of two nodes each of one tree."""
    least = np.minimum(depth[u], depth[v])
    u, v = _raised(above, u, depth[u] - least), _raised(above, v, depth[v] - least)
    for up in reversed(above):
        apart = up[u] != up[v]
        u, v = np.where(apart, up[u], u), np.where(apart, up[v], v)
    return np.where(u == v, u, above[0][u])


def _cover(least: Floats, above: list[Ints], end: Ints, steps: Ints, squared: Floats) -> None:
    """Lower ``least`` along the ways of so many ``steps`` up from ``end``: by two runs of 2^k edges each."""
    on = np.flatnonzero(steps > 0)
    run = np.frexp(steps[on].astype(np.float64))[1] - 1  # ⌊log₂⌋
    second = _raised(above, end[on], steps[on] - (1 << run))
    flat, width = least.reshape(-1), least.shape[1]
    for nodes in (end[on], second):
        np.minimum.at(flat, run * width + nodes, squared[on])
