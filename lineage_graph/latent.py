"""Ancestors that are not in the zoo: a family's tree with the unseen nodes that its distances ask for.

Squared distances of training updates add up along lineage edges, so a family is an additive tree, some of whose nodes
may be unseen: the problem of latent trees (Choi, Tan, Anandkumar, Willsky, "Learning latent tree graphical models",
JMLR 2011). As in their CLGrouping the minimum spanning tree over the present nodes comes first, and unseen nodes are
then looked for around each of its nodes (:mod:`lineage_graph.gromov`). What two neighbours find between them is one
node if next to nothing is left of the edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lineage_graph.gromov import Group, LatentSettings, Measured, Relation, groups
from lineage_graph.types import DirectionCue


@dataclass(frozen=True, slots=True)
class LatentEdge:
    """An undirected edge of the tree; an end may be unseen. ``squared``: its length. ``pair``: the measured pair of
    present models, one on each side, that it stands for; in the order of the ends. ``cues``: positive for u → v.
    """

    u: str
    v: str
    squared: float
    pair: tuple[str, str]
    cues: tuple[DirectionCue, ...] = ()


@dataclass(frozen=True, slots=True)
class LatentTree:
    """``unseen``: by id, the probability that there is such a node, 0.5 to 1. ``edges``: a tree over all nodes."""

    unseen: Mapping[str, float]
    edges: tuple[LatentEdge, ...]


def latent_tree(
    nodes: Sequence[str],
    relations: Sequence[Relation],
    tree: Sequence[tuple[str, str]],
    names: Iterator[str],
    settings: LatentSettings | None = None,
) -> LatentTree:
    """The family's tree with its unseen nodes.

    ``nodes`` in an order that does not depend on names; ``tree``: the minimum spanning tree over them, whose pairs are
    among the ``relations``. ``names``: ids for unseen nodes. Unmeasured pairs of neighbours are completed by the
    four-point condition (:func:`~lineage_graph.gromov.gromov`).
    """
    settings = settings or LatentSettings()
    measured = Measured(relations)
    rank = {node: index for index, node in enumerate(nodes)}
    around: dict[str, list[str]] = {node: [] for node in nodes}
    for u, v in tree:
        around[u].append(v)
        around[v].append(u)
    ends: dict[tuple[str, str], Group | None] = {}
    inner: list[_Edge] = []
    for node in nodes:
        neighbours = sorted(around[node], key=rank.__getitem__)
        found = groups(node, neighbours, measured, settings)
        ends.update({(node, neighbour): group for neighbour, group in found.items()})
        inner += _inner_edges(node, found)
    outer = [_outer_edge(u, v, ends, measured.squared(u, v)) for u, v in tree]
    return _finished(_merged([*inner, *outer], measured, settings), measured, names)


@dataclass(frozen=True, slots=True)
class _Edge:
    """An edge before ids are dealt; ``pair``: of present models, in the order of the ends."""

    u: str | Group
    v: str | Group
    squared: float
    pair: tuple[str, str]


def _inner_edges(node: str, found: Mapping[str, Group | None]) -> Iterator[_Edge]:
    """From the node inwards to its unseen nodes, each once."""
    done: set[int] = set()
    for neighbour, innermost in found.items():
        group = innermost
        while group is not None and id(group) not in done:
            done.add(id(group))
            start, depth = (node, 0.0) if group.within is None else (group.within, group.within.depth)
            yield _Edge(start, group, group.depth - depth, (node, neighbour))
            group = group.within


def _outer_edge(u: str, v: str, ends: Mapping[tuple[str, str], Group | None], squared: float) -> _Edge:
    """What is left of an edge of the spanning tree between the unseen nodes at its two ends."""
    at_u, at_v = ends[u, v], ends[v, u]
    left = squared - sum(group.depth for group in (at_u, at_v) if group is not None)
    return _Edge(at_u or u, at_v or v, max(left, 0.0), (u, v))


def _merged(edges: Sequence[_Edge], measured: Measured, settings: LatentSettings) -> list[_Edge]:
    """Without the edges of which next to nothing is left between two unseen nodes: these become one."""
    same: dict[int, Group] = {}

    def only(end: str | Group) -> str | Group:
        while not isinstance(end, str) and id(end) in same:
            end = same[id(end)]
        return end

    kept = []
    for edge in edges:
        u, v = only(edge.u), only(edge.v)
        short = edge.squared < settings.cut * measured.squared(*edge.pair)
        if short and isinstance(u, Group) and isinstance(v, Group):
            same[id(v)] = u
            u.log_odds = max(u.log_odds, v.log_odds)
        else:
            kept.append(edge)
    return [replace(edge, u=only(edge.u), v=only(edge.v)) for edge in kept]


def _finished(edges: Sequence[_Edge], measured: Measured, names: Iterator[str]) -> LatentTree:
    """Ids and cues are dealt."""
    unseen: dict[str, float] = {}
    dealt: dict[int, str] = {}

    def named(end: str | Group) -> str:
        if isinstance(end, str):
            return end
        if id(end) not in dealt:
            dealt[id(end)] = next(names)
            unseen[dealt[id(end)]] = 1 / (1 + math.exp(-end.log_odds))
        return dealt[id(end)]

    plain = [LatentEdge(named(edge.u), named(edge.v), edge.squared, edge.pair) for edge in edges]
    return LatentTree(unseen, tuple(_with_cues(plain, unseen, measured)))


def _with_cues(edges: Sequence[LatentEdge], unseen: Mapping[str, float], measured: Measured) -> Iterator[LatentEdge]:
    """Present pairs keep their cues. Where an end is unseen, the present end is held against its other branches."""
    branches: dict[str, list[str]] = {node: [] for node in unseen}
    for edge in edges:
        for end, there in ((edge.u, edge.pair[1]), (edge.v, edge.pair[0])):
            if end in unseen:
                branches[end].append(there)
    for edge in edges:
        if edge.u in unseen and edge.v in unseen:
            yield edge
        elif edge.u in unseen:
            cues = _against(edge.v, branches[edge.u], measured)
            yield replace(edge, cues=tuple(replace(cue, log_odds=-cue.log_odds) for cue in cues))
        elif edge.v in unseen:
            yield replace(edge, cues=tuple(_against(edge.u, branches[edge.v], measured)))
        else:
            yield replace(edge, cues=tuple(measured.cues(edge.u, edge.v).values()))


def _against(node: str, branches: Sequence[str], measured: Measured) -> Iterator[DirectionCue]:
    """What cues say for the way from ``node`` to an unseen node and on to its other branches, positive for that.

    The mean over them, at most ln(number of branches): of siblings, too, one is the first by every cue.
    """
    others = [found for one in branches if one != node and (found := measured.cues(node, one))]
    for name in sorted({name for found in others for name in found}):
        held = [found[name] for found in others if name in found]
        mean = sum(cue.log_odds for cue in held) / len(others)
        yield replace(held[0], log_odds=min(mean, math.log(len(branches))))
