"""Related pairs → spanning forest, and the walk down its trees from any choice of tops, level by level.

A walk visits the nodes breadth first, so that every level is a slice of its order: what goes up or down the trees takes
as many array operations as the deepest tree has levels, however many trees and nodes there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lineage_graph.scale.population import Floats, Ints

LEAST_LENGTH = 1e-15
"""What a squared distance of 0 counts as: a matrix of lengths holds no zeros."""


@dataclass(frozen=True, slots=True)
class Walk:
    """``order``: the nodes, breadth first; ``levels``: where each level starts in it, and its end. ``parent``: of each
    node, -1 for tops. ``tree``: of each node, the number of its tree, 0 to ``trees`` - 1.
    """

    order: Ints
    levels: Ints
    parent: Ints
    tree: Ints
    trees: int

    def downward(self) -> Iterator[Ints]:
        """The nodes of each level below the tops."""
        for start, end in zip(self.levels[1:-1], self.levels[2:], strict=True):
            yield self.order[start:end]

    def upward(self) -> Iterator[Ints]:
        """The same from the deepest level up."""
        return reversed(list(self.downward()))

    def sums(self, values: Floats) -> Floats:
        """Sum of ``values`` over the subtree of each node."""
        sums = values.copy()
        for nodes in self.upward():
            np.add.at(sums, self.parent[nodes], sums[nodes])
        return sums


def spanning(count: int, u: Ints, v: Ints, squared: Floats) -> Ints:
    """Which of the pairs (u, v) are the minimum spanning forest of ``count`` nodes; every pair is given once.

    Deterministic: between equal lengths the pair that comes first.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    # Ranks instead of lengths: no ties are left to the sorting algorithm, and the matrix tells which pair it was.
    order = np.lexsort((np.arange(len(u)), squared))
    rank = np.empty(len(u))
    rank[order] = np.arange(1, len(u) + 1)
    chosen = minimum_spanning_tree(csr_array((rank, (u, v)), shape=(count, count)), overwrite=True)
    found: Ints = np.sort(order[chosen.data.astype(np.int64) - 1])
    return found


def components(count: int, u: Ints, v: Ints) -> Ints:
    """Number of each node's connected component, in the order of their first nodes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, labels = connected_components(coo_array((np.ones(len(u), bool), (u, v)), shape=(count, count)), directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    numbers: Ints = rank[inverse.reshape(-1)]
    return numbers


def walk(count: int, u: Ints, v: Ints, tops: npt.NDArray[np.bool_] | None = None) -> Walk:
    """Walk the forest of the edges (u, v). ``tops``: where to start, one node a tree at most; the first node of a tree
    that has none.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order

    tree = components(count, u, v)
    trees = int(tree.max(initial=-1)) + 1
    start = np.full(trees, count, dtype=np.int64)
    np.minimum.at(start, tree, np.arange(count))
    if tops is not None:
        start[tree[tops]] = np.flatnonzero(tops)
    # One more node above all tops makes a single tree of the forest, which is walked in one go.
    rows, columns = np.concatenate([u, np.full(trees, count)]), np.concatenate([v, start])
    whole = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(count + 1, count + 1)).tocsr()
    order, parent = breadth_first_order(whole, count, directed=False)
    order, parent = order.astype(np.int64), parent[:count].astype(np.int64)
    below = np.bincount(parent, minlength=count + 1)[order]
    ends = np.cumsum(below) + 1  # where the children of the node at each place of the order end
    levels = [1]
    while levels[-1] <= count:
        levels.append(int(ends[levels[-1] - 1]))
        if levels[-1] == levels[-2]:
            break
    parent[parent == count] = -1
    return Walk(order[1:], np.array(levels) - 1, parent, tree, trees)
