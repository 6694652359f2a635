"""Which node of an undirected tree is the root: direction evidence pooled over the whole tree.

An edge's direction is not decided edge by edge. Each choice of the root orients every edge at once; its posterior
weighs

* cues whose sign is known (a counter, a date): each edge adds half its log-odds for or against;
* cues whose sign differs between families (norm, kurtosis): both signs are possible, one more likely beforehand, but
  one sign holds for the whole tree, so the cue counts as far as one sign explains all edges together;
* a prior for the shape: rumor centrality, the number of orders in which the tree could have grown from that root
  (Shah & Zaman, "Rumors in a Network", 2011), which favours hubs and speaks for nobody in a chain of two.

Moving the root across an edge turns only this edge round, so all posteriors take two passes over the tree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lineage_graph.types import DirectionCue


@dataclass(frozen=True, slots=True)
class TreeEdge:
    """An undirected edge with its cues; their log-odds are positive for u → v."""

    u: str
    v: str
    cues: tuple[DirectionCue, ...]


@dataclass(frozen=True, slots=True)
class Rooted:
    """``root``, ``parent`` of every other node, and ``direction_confidence`` by child: 0.5 to 1."""

    root: str
    parent: Mapping[str, str]
    direction_confidence: Mapping[str, float]


def root_tree(nodes: Sequence[str], edges: Sequence[TreeEdge]) -> Rooted:
    """Root the tree at the median of the posterior: there every drawn direction has a probability of at least ½.

    ``nodes`` in an order that does not depend on names: it breaks exact ties. The edges form a tree over them.
    """
    order, parent, edge_of = _walk(nodes[0], edges)
    size = _sums(order, parent, dict.fromkeys(order, 1.0))
    log_posterior = _log_posteriors(order, parent, edge_of, size)
    top = max(log_posterior.values())
    weight = {node: math.exp(value - top) for node, value in log_posterior.items()}
    total = sum(weight.values())
    below = _sums(order, parent, {node: w / total for node, w in weight.items()})
    root = _median(nodes, order, parent, below)
    final_order, final_parent, _ = _walk(root, edges)
    # The direction is right if the root lies on the parent's side of the edge.
    confidence = {
        node: 1 - below[node] if parent.get(node) == final_parent[node] else below[final_parent[node]]
        for node in final_order[1:]
    }
    return Rooted(root, final_parent, {node: min(max(value, 0.5), 1.0) for node, value in confidence.items()})


def _walk(root: str, edges: Iterable[TreeEdge]) -> tuple[list[str], dict[str, str], dict[str, TreeEdge]]:
    """Nodes from ``root`` outwards, each one's parent, and the edge to it."""
    around: dict[str, list[tuple[str, TreeEdge]]] = {root: []}
    for edge in edges:
        around.setdefault(edge.u, []).append((edge.v, edge))
        around.setdefault(edge.v, []).append((edge.u, edge))
    order = [root]
    parent: dict[str, str] = {}
    edge_of: dict[str, TreeEdge] = {}
    for node in order:
        for neighbour, edge in around[node]:
            if neighbour != root and neighbour not in parent and parent.get(node) != neighbour:
                parent[neighbour], edge_of[neighbour] = node, edge
                order.append(neighbour)
    return order, parent, edge_of


def _sums(order: Sequence[str], parent: Mapping[str, str], values: Mapping[str, float]) -> dict[str, float]:
    """Sum of ``values`` over the subtree of each node."""
    sums = dict(values)
    for node in reversed(order[1:]):
        sums[parent[node]] += sums[node]
    return sums


def _log_posteriors(
    order: Sequence[str], parent: Mapping[str, str], edge_of: Mapping[str, TreeEdge], size: Mapping[str, float]
) -> dict[str, float]:
    """Unnormalised log posterior of every node as the root."""
    cues = sorted({cue.name for edge in edge_of.values() for cue in edge.cues})
    prior = {cue.name: cue.sign_prior for edge in edge_of.values() for cue in edge.cues}
    log_posterior = dict.fromkeys(order, 0.0)
    for name in cues:
        downward = {node: _log_odds(edge_of[node], name, away_from=parent[node]) for node in order[1:]}
        support = {order[0]: sum(downward.values()) / 2}
        for node in order[1:]:
            support[node] = support[parent[node]] - downward[node]
        for node in order:
            log_posterior[node] += _either_sign(support[node], prior[name])
    count = len(order)
    growth = {order[0]: 0.0}
    for node in order[1:]:
        growth[node] = growth[parent[node]] + math.log(size[node] / (count - size[node]))
        log_posterior[node] += growth[node]
    return log_posterior


def _log_odds(edge: TreeEdge, name: str, away_from: str) -> float:
    """What the edge's cue ``name`` says for the direction away from one of its ends."""
    total = sum(cue.log_odds for cue in edge.cues if cue.name == name)
    return total if edge.u == away_from else -total


def _either_sign(support: float, prior: float) -> float:
    """ln(p·eˣ + (1 - p)·e⁻ˣ): the support where the sign is as supposed with probability p; x itself where p = 1."""
    return float(np.logaddexp(math.log(prior) + support, math.log1p(-prior) - support)) if prior < 1 else support


def _median(nodes: Sequence[str], order: Sequence[str], parent: Mapping[str, str], below: Mapping[str, float]) -> str:
    """The node from which no branch holds more than half of the posterior; the first in ``nodes`` among equals."""
    heaviest = {node: 1 - below[node] for node in order}
    for node in order[1:]:
        heaviest[parent[node]] = max(heaviest[parent[node]], below[node])
    return min(nodes, key=lambda node: round(heaviest[node], 9))
