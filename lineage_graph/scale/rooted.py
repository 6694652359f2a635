"""Which node of each tree is its root: the mathematics of :mod:`lineage_graph.rooting`, for all trees of a forest.

Moving the root across an edge turns only this edge round, so supports take one pass down, sums over subtrees one pass
up, and a change of the root turns round the edges between the old one and the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lineage_graph.rooting import either_sign
from lineage_graph.scale.forest import Walk
from lineage_graph.scale.population import Floats, Ints


@dataclass(frozen=True, slots=True)
class Rooted:
    """``parent`` of each node, -1 for roots. ``direction``: confidence in the edge from there, 0.5 to 1. ``apart``:
    probability that node and parent rather descend from something unseen, 0 to 1. ``edge``: which node's entry, in what
    was given by node, tells of that edge. All of shape (nodes,).
    """

    parent: Ints
    direction: Floats
    apart: Floats
    edge: Ints


def root(
    walk: Walk,
    cues: Mapping[str, tuple[Floats, float]],
    apart: Floats,
    fixed: npt.NDArray[np.bool_],
) -> Rooted:
    """Root every tree at the median of the posterior.

    ``cues``: by name, for each node the log-odds of the direction from its parent in the walk to it (0 for tops), and
    the prior of the cue's sign. ``apart``: log-odds that the root is unseen and lies on the edge to the parent, -∞
    where it cannot. ``fixed``: nodes that are known to be roots; they are tops of the walk.
    """
    on_node, on_edge = _posterior(walk, cues, apart)
    known = np.zeros(walk.trees, bool)
    known[walk.tree[fixed]] = True
    settled = known[walk.tree]
    on_node = np.where(settled, fixed.astype(float), on_node)
    on_edge = np.where(settled, 0.0, on_edge)
    lower = np.flatnonzero(walk.parent >= 0)
    # An unseen root that is not drawn stands for both ends of its edge alike.
    np.add.at(on_node, lower, on_edge[lower] / 2)
    np.add.at(on_node, walk.parent[lower], on_edge[lower] / 2)
    below = walk.sums(on_node)
    roots = _medians(walk, below)
    roots[walk.tree[fixed]] = np.flatnonzero(fixed)
    parent, edge = _turned(walk, roots)
    turned = (edge >= 0) & (edge != np.arange(len(edge)))
    # The root's probability on the child's side: above a turned edge lies all of the tree but the subtree of its end.
    beyond = np.where(turned, 1 - below[edge], below)
    return Rooted(parent, np.clip(1 - beyond, 0.5, 1.0), np.where(edge >= 0, on_edge[edge], 0.0), edge)


def _posterior(walk: Walk, cues: Mapping[str, tuple[Floats, float]], apart: Floats) -> tuple[Floats, Floats]:
    """The probability of every node as the root of its tree, and of an unseen root on the edge above it."""
    log_node = _growth(walk)
    certain = np.zeros(len(log_node))
    for downward, sign_prior in cues.values():
        log_node += either_sign(_support(walk, downward), sign_prior)
        certain += downward if sign_prior == 1 else 0.0
    above = np.maximum(walk.parent, 0)
    half = certain / 2
    rest = np.logaddexp(log_node[above] - half, log_node + half)
    log_edge = np.where(walk.parent >= 0, apart + rest + np.logaddexp(half, -half) - np.log(2), -np.inf)
    highest = np.full(walk.trees, -np.inf)
    np.maximum.at(highest, walk.tree, np.maximum(log_node, log_edge))
    on_node, on_edge = np.exp(log_node - highest[walk.tree]), np.exp(log_edge - highest[walk.tree])
    total = np.bincount(walk.tree, weights=on_node + on_edge, minlength=walk.trees)[walk.tree]
    return on_node / total, on_edge / total


def _support(walk: Walk, downward: Floats) -> Floats:
    """By node: what a cue says, with the sign as supposed, for the directions that follow if the root is there."""
    support = np.bincount(walk.tree, weights=downward, minlength=walk.trees)[walk.tree] / 2
    for nodes in walk.downward():
        support[nodes] = support[walk.parent[nodes]] - downward[nodes]
    return support


def _growth(walk: Walk) -> Floats:
    """Rumor centrality, see :mod:`lineage_graph.rooting`."""
    size = walk.sums(np.ones(len(walk.order)))
    count = np.bincount(walk.tree, minlength=walk.trees)[walk.tree]
    growth = np.zeros(len(size))
    for nodes in walk.downward():
        growth[nodes] = growth[walk.parent[nodes]] + np.log(size[nodes] / (count[nodes] - size[nodes]))
    return growth


def _medians(walk: Walk, below: Floats) -> Ints:
    """By tree, the node from which no branch holds more than half of the posterior; the first among equals."""
    heaviest = 1 - below
    lower = np.flatnonzero(walk.parent >= 0)
    np.maximum.at(heaviest, walk.parent[lower], below[lower])
    order = np.lexsort((np.arange(len(below)), np.round(heaviest, 9), walk.tree))
    medians: Ints = order[np.searchsorted(walk.tree[order], np.arange(walk.trees))]
    return medians


def _turned(walk: Walk, roots: Ints) -> tuple[Ints, Ints]:
    """The parents under other roots, and by node which end of the edge to its parent is lower in the walk; -1 for
    roots.
    """
    parent = walk.parent.copy()
    edge = np.where(parent >= 0, np.arange(len(parent)), -1)
    parent[roots], edge[roots] = -1, -1
    child = roots
    while len(child):
        child = child[walk.parent[child] >= 0]
        above = walk.parent[child]
        parent[above], edge[above] = child, child
        child = above
    return parent, edge
