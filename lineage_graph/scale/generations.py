"""Generations of a graph by the longest way down from a root."""

from __future__ import annotations

import numpy as np

from lineage_graph.scale.population import Ints


def generations(count: int, parent: Ints, child: Ints) -> Ints:
    """By node: 1 for roots, else one more than the latest of its parents; 0 on circles, and below them."""
    order = np.argsort(parent, kind="stable")
    children = child[order]
    starts = np.searchsorted(parent[order], np.arange(count + 1))
    waiting = np.bincount(child, minlength=count)
    level = np.zeros(count, dtype=np.int64)
    nodes, depth = np.flatnonzero(waiting == 0), 1
    while len(nodes):
        level[nodes] = depth
        counts = starts[nodes + 1] - starts[nodes]
        places = np.repeat(starts[nodes] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        below = children[places]
        np.subtract.at(waiting, below, 1)
        nodes, depth = np.unique(below[waiting[below] == 0]), depth + 1
    return level
