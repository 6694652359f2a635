"""Which node of an undirected tree is the root: direction evidence pooled over the whole tree.

An edge's direction is not decided edge by edge. Each choice of the root orients every edge at once; its posterior
weighs

* cues whose sign is known (a counter, a date): each edge adds half its log-odds for or against;
* cues whose sign differs between families (norm, kurtosis): both signs are possible, one more likely beforehand, but
  one sign holds for the whole tree, so the cue counts as far as one sign explains all edges together; cues that have
  one cause in common reverse together, and count as one;
* a prior for the shape: rumor centrality, the number of orders in which the tree could have grown from that root
  (Shah & Zaman, "Rumors in a Network", 2011), which favours hubs and speaks for nobody in a chain of two.

Moving the root across an edge turns only this edge round, so all posteriors take two passes over the tree.

The root need not be in the zoo: it may lie on an edge, whose ends then both descend from it (:attr:`TreeEdge.apart`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from lineage_graph.types import DirectionCue

Pair = frozenset[str]
Support = TypeVar("Support", float, npt.NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class TreeEdge:
    """An undirected edge with its cues; their log-odds are positive for u → v.

    ``apart``: log-odds that both ends descend from something unseen between them, against that one descends from the
    other, if the root is here. Minus infinity: it cannot be.
    """

    u: str
    v: str
    cues: tuple[DirectionCue, ...]
    apart: float = -math.inf

    @property
    def pair(self) -> Pair:
        """Both ends."""
        return frozenset((self.u, self.v))


@dataclass(frozen=True, slots=True)
class Rooted:
    """``root``, ``parent`` of every other node, and ``direction_confidence`` by child: 0.5 to 1.

    ``apart``: by edge that may hold it, the probability of an unseen root there, 0 to 1. ``signs``: by what
    differs in sign between families, the probability that it is as supposed in this one.
    """

    root: str
    parent: Mapping[str, str]
    direction_confidence: Mapping[str, float]
    apart: Mapping[Pair, float] = field(default_factory=dict)
    signs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conflict:
    """The strongest cues for and against the direction in which an edge is drawn, with their log-odds along it: > 0 and
    < 0. Of cues of uncertain sign the log-odds count as far as their sign is certain. ``None``: there is none.
    """

    best_for: DirectionCue | None
    best_against: DirectionCue | None


def root_tree(
    nodes: Sequence[str], edges: Sequence[TreeEdge], *, root: str | None = None, unseen: str | None = None
) -> Rooted:
    """Root the tree at the median of the posterior: there every drawn direction has a probability of at least ½.

    ``nodes`` in an order that does not depend on names: it breaks exact ties. The edges form a tree over them.
    ``root``: the root, where it is known. ``unseen``: the name of a new node that becomes the root between the two ends
    of an edge, if it is more likely than not that the root is there; without a name the root is one of the nodes.
    """
    order, parent, edge_of = _walk(nodes[0], edges)
    supports = _supports(order, parent, edge_of)
    prior: dict[str, float] = {}
    for cue in (cue for edge in edges for cue in edge.cues):
        prior[cue.sign] = max(prior.get(cue.sign, 0.0), cue.sign_prior)
    if root is None:
        log_posterior = _log_posteriors(order, parent, supports, prior)
        on_node, on_edge = _posteriors(log_posterior, edges)
    else:
        on_node, on_edge = dict.fromkeys(order, 0.0) | {root: 1.0}, {}
    split = _split(on_edge) if unseen is not None else None
    # An unseen root that is not drawn stands for both ends of its edge alike.
    for pair, probability in on_edge.items():
        for end in pair if pair != split else ():
            on_node[end] += probability / 2
    below = _sums(order, parent, on_node)

    def beyond(node: str, other: str) -> float:
        """Probability of the root on the side of ``node`` of the edge between the two."""
        return below[node] if parent.get(node) == other else below[order[0]] - below[other]

    if split is not None and unseen is not None:
        top = unseen
        edges = [edge for edge in edges if edge.pair != split] + [TreeEdge(unseen, end, ()) for end in split]
    else:
        top = root if root is not None else _median(nodes, order, parent, below)
    _, final, _ = _walk(top, edges)
    confidence = {}
    for node, above in final.items():
        other = next(iter(split - {node})) if split is not None and above == unseen else above
        confidence[node] = min(max(1 - beyond(node, other), 0.5), 1.0)
    signs = {}
    for name, given in prior.items():
        if given < 1:
            here = sum(supports[name][node] * on_node[node] for node in order)
            signs[name] = math.exp(math.log(given) + here - either_sign(here, given))
    return Rooted(top, final, confidence, on_edge, signs)


def conflict(cues: Sequence[DirectionCue], sign: float, signs: Mapping[str, float]) -> Conflict:
    """Of an edge with these ``cues``; ``sign``: 1 where they point along it as drawn, -1 against. ``signs``: those of
    the :class:`Rooted` tree.
    """
    along = [replace(cue, log_odds=sign * cue.log_odds * (2 * signs.get(cue.sign, 1.0) - 1)) for cue in cues]
    best = max(along, key=lambda cue: cue.log_odds, default=None)
    worst = min(along, key=lambda cue: cue.log_odds, default=None)
    return Conflict(
        best if best is not None and best.log_odds > 0 else None,
        worst if worst is not None and worst.log_odds < 0 else None,
    )


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


def _supports(
    order: Sequence[str], parent: Mapping[str, str], edge_of: Mapping[str, TreeEdge]
) -> dict[str, dict[str, float]]:
    """By sign, by node: what its cues say, with the sign as supposed, for the directions that a root there gives."""
    supports: dict[str, dict[str, float]] = {}
    for name in sorted({cue.sign for edge in edge_of.values() for cue in edge.cues}):
        downward = {node: _log_odds(edge_of[node], name, away_from=parent[node]) for node in order[1:]}
        support = supports[name] = {order[0]: sum(downward.values()) / 2}
        for node in order[1:]:
            support[node] = support[parent[node]] - downward[node]
    return supports


def _log_posteriors(
    order: Sequence[str],
    parent: Mapping[str, str],
    supports: Mapping[str, Mapping[str, float]],
    prior: Mapping[str, float],
) -> dict[str, float]:
    """Unnormalised log posterior of every node as the root, as if the root were one of them."""
    log_posterior = dict.fromkeys(order, 0.0)
    for name, support in supports.items():
        for node in order:
            log_posterior[node] += either_sign(support[node], prior[name])
    count = len(order)
    size = _sums(order, parent, dict.fromkeys(order, 1.0))
    growth = {order[0]: 0.0}
    for node in order[1:]:
        growth[node] = growth[parent[node]] + math.log(size[node] / (count - size[node]))
        log_posterior[node] += growth[node]
    return log_posterior


def _posteriors(
    log_posterior: Mapping[str, float], edges: Iterable[TreeEdge]
) -> tuple[dict[str, float], dict[Pair, float]]:
    """The probability of every node as the root, and of an unseen root on every edge that may hold it.

    Under an unseen root the cues of its edge have either sign with probability ½, whatever they say; the rest of the
    evidence is the mean of that at the two ends.
    """
    log_edge: dict[Pair, float] = {}
    for edge in edges:
        if edge.apart > -math.inf:
            half = sum(cue.log_odds for cue in edge.cues if cue.sign_prior == 1) / 2
            rest = np.logaddexp(log_posterior[edge.u] - half, log_posterior[edge.v] + half)
            log_edge[edge.pair] = float(edge.apart + rest + np.logaddexp(half, -half) - math.log(2))
    top = max(*log_posterior.values(), *log_edge.values(), -math.inf)
    on_node = {node: math.exp(value - top) for node, value in log_posterior.items()}
    on_edge = {pair: math.exp(value - top) for pair, value in log_edge.items()}
    total = sum(on_node.values()) + sum(on_edge.values())
    return {n: w / total for n, w in on_node.items()}, {pair: w / total for pair, w in on_edge.items()}


def _split(on_edge: Mapping[Pair, float]) -> Pair | None:
    """The edge that holds an unseen root more likely than not."""
    return next((pair for pair, probability in on_edge.items() if probability > 0.5), None)


def _log_odds(edge: TreeEdge, name: str, away_from: str) -> float:
    """What the edge's cues of the sign ``name`` say for the direction away from one of its ends."""
    total = sum(cue.log_odds for cue in edge.cues if cue.sign == name)
    return total if edge.u == away_from else -total


def either_sign(support: Support, prior: float) -> Support:
    """ln(p·eˣ + (1 - p)·e⁻ˣ): the support where the sign is as supposed with probability p; x itself where p = 1."""
    if prior >= 1:
        return support
    return cast(Support, np.logaddexp(math.log(prior) + support, math.log1p(-prior) - support))


def _median(nodes: Sequence[str], order: Sequence[str], parent: Mapping[str, str], below: Mapping[str, float]) -> str:
    """The node from which no branch holds more than half of the posterior; the first in ``nodes`` among equals."""
    heaviest = {node: 1 - below[node] for node in order}
    for node in order[1:]:
        heaviest[parent[node]] = max(heaviest[parent[node]], below[node])
    return min(nodes, key=lambda node: round(heaviest[node], 9))
