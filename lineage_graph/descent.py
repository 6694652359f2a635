"""A family's rooted tree, in which what is not in the zoo is unseen: geometry (:mod:`lineage_graph.latent`) says where
an unseen node joins three branches or more, pooled direction evidence (:mod:`lineage_graph.rooting`) where the root is,
which may also be unseen between two models.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from lineage_graph.angles import Tree
from lineage_graph.calibration import logistic
from lineage_graph.gromov import LatentSettings, Relation
from lineage_graph.latent import LatentEdge, latent_tree
from lineage_graph.rooting import Conflict, Rooted, TreeEdge, conflict, root_tree
from lineage_graph.types import ScoredPair

PAIR_PRIOR = math.log(0.2 / 0.8)
"""Log-odds, before looking, that two neighbours both descend from something unseen."""

FIRM = 0.9
"""Direction confidence from which an unseen node below a model gives way: its children are drawn as the model's."""

APART: Mapping[str, tuple[float, float, float]] = {
    "init_drift": (0.8, 0.75, -1.4),
    "norm_growth": (0.4, 0.4, -0.4),
    "counters_equal": (0.0, -3.0, 0.0),
    "declared": (0.0, 2.0, -2.0),
}
"""Signal → (a, b, c): it adds max(a - b·|signal|, c) to the log-odds that neither of two relatives descends from the
other. What a child gains is orthogonal to what its parent has, so the first two are about ±1 or beyond from parent to
child, and about 0 between siblings that went equally far. By a logistic regression over 300 parent-child pairs against
250 pairs of siblings in zoos grown by six recipes (seeds 100 to 105), each recipe and class with about equal weight;
taken at half its word, since far fine-tunes (recipe far) are near 0 more often. Equal counters were seen in none of the
parent-child pairs and in half of the siblings' that have counters, and count for less than that: a training may leave
counters alone. Who declares another as its parent says that it descends from it, whichever way that is."""

TRAINED = frozenset(["finetune", "snapshot"])
"""Kinds of edges that training makes. Of other kinds (a quantised model, a pruned one) it is known who descends."""


@dataclass(frozen=True, slots=True)
class DrawnEdge:
    """One edge, parent → child; either may be unseen.

    ``squared``: squared relative distance, or what is left of it for this branch. ``pair``: two models, the second on
    the child's side (the ends themselves where they are present), whose measured pair the edge stands for.
    ``direction``: confidence, 0.5 to 1. ``apart``: probability that parent and child, both present, rather descend from
    something unseen. ``conflict``: the strongest cues for and against the direction.
    """

    parent: str
    child: str
    squared: float
    pair: tuple[str, str]
    direction: float
    apart: float
    conflict: Conflict


@dataclass(frozen=True, slots=True)
class Descent:
    """``unseen``: by id, the probability that there is such a node, 0.5 to 1. ``edges``: one for each node but the
    root, in no particular order.
    """

    root: str
    unseen: Mapping[str, float]
    edges: tuple[DrawnEdge, ...]


def unseen_names(taken: Collection[str]) -> Iterator[str]:
    """``unseen-1``, ``unseen-2`` … without those that are ``taken``."""
    return (name for number in count(1) if (name := f"unseen-{number}") not in taken)


def descend(
    nodes: Sequence[str],
    pairs: Iterable[ScoredPair],
    tree: Sequence[ScoredPair],
    names: Iterator[str],
    *,
    root: str | None = None,
    settings: LatentSettings | None = None,
) -> Descent:
    """The rooted tree of one family.

    ``nodes`` in an order that does not depend on names; ``pairs``: all accepted pairs between them, others are left
    out; ``tree``: those of the minimum spanning tree. ``names``: ids for unseen nodes. ``root``: where it is known
    already (a merge, above what descends from it).
    """
    inside = frozenset(nodes)
    relations = [_relation(pair) for pair in pairs if {pair.a, pair.b} <= inside]
    latent = latent_tree(nodes, relations, [(pair.a, pair.b) for pair in tree], names, settings)
    measured = {frozenset((one.u, one.v)): one for one in relations}
    edges = [_tree_edge(edge, latent.unseen, measured) for edge in latent.edges]
    rooted = root_tree([*nodes, *latent.unseen], edges, root=root, unseen=_BETWEEN)
    drawn = {edge.child: edge for edge in _along(rooted, latent.edges)}
    unseen = dict(latent.unseen)
    for node in latent.unseen:
        if _gives_way(node, drawn, unseen, measured):
            parent = drawn.pop(node).parent
            del unseen[node]
            for edge in [edge for edge in drawn.values() if edge.parent == node]:
                drawn[edge.child] = _moved(edge, parent, measured, rooted.signs)
    top, drawn = _settled(nodes, drawn, measured, rooted, fixed=root is not None)
    if root is None:
        top, drawn = _uprooted(top, drawn, unseen)
    if top == _BETWEEN:
        top = next(names)
        unseen[top] = max(rooted.apart.values())
        drawn = {child: replace(edge, parent=top) if edge.parent == _BETWEEN else edge for child, edge in drawn.items()}
    return Descent(top, unseen, tuple(drawn.values()))


_BETWEEN = ""
"""Stands for an unseen root between two models until it has an id; no model is called so."""


def apart(kind: str, evidence: Mapping[str, float]) -> float:
    """Log-odds, from one pair's signals, that neither of two relatives descends from the other; minus infinity for
    ``kind``s of which one is made of the other. See :data:`APART`.
    """
    if kind not in TRAINED:
        return -math.inf
    terms = (
        max(most - slope * abs(evidence[name]), least)
        for name, (most, slope, least) in APART.items()
        if name in evidence
    )
    return sum(terms)


def _relation(pair: ScoredPair) -> Relation:
    return Relation(pair.a, pair.b, pair.distance**2, pair.direction, apart(pair.kind, pair.evidence))


def _tree_edge(edge: LatentEdge, unseen: Collection[str], measured: Mapping[frozenset[str], Relation]) -> TreeEdge:
    """Between an unseen node and another there is no room for an unseen root: it would be that node."""
    if edge.u in unseen or edge.v in unseen:
        return TreeEdge(edge.u, edge.v, edge.cues)
    return TreeEdge(edge.u, edge.v, edge.cues, measured[frozenset(edge.pair)].apart + PAIR_PRIOR)


def _along(rooted: Rooted, edges: Iterable[LatentEdge]) -> Iterator[DrawnEdge]:
    """The edges from parent to child; one that holds the root becomes two."""
    for edge in edges:
        halved = rooted.parent.get(edge.u) == rooted.parent.get(edge.v) == _BETWEEN
        for parent, child, pair, sign in ((edge.u, edge.v, edge.pair, 1.0), (edge.v, edge.u, edge.pair[::-1], -1.0)):
            if halved or rooted.parent.get(child) == parent:
                yield DrawnEdge(
                    parent=_BETWEEN if halved else parent,
                    child=child,
                    squared=edge.squared / 2 if halved else edge.squared,
                    pair=pair,
                    direction=rooted.direction_confidence[child],
                    apart=0.0 if halved else rooted.apart.get(frozenset((parent, child)), 0.0),
                    conflict=conflict(() if halved else edge.cues, sign, rooted.signs),
                )


def _uprooted(root: str, drawn: Mapping[str, DrawnEdge], unseen: Collection[str]) -> tuple[str, dict[str, DrawnEdge]]:
    """The tree with an unseen node as its root instead of the model above it, where that one is not surely above: of
    siblings one always looks like the first.
    """
    below = [edge for edge in drawn.values() if edge.parent == root and edge.child in unseen]
    if root in unseen or len(below) != 1 or below[0].direction >= FIRM:
        return root, dict(drawn)
    (edge,) = below
    turned = replace(edge, parent=edge.child, child=root, pair=edge.pair[::-1], direction=0.5)
    return edge.child, {**{child: one for child, one in drawn.items() if one is not edge}, root: turned}


def _settled(
    nodes: Sequence[str],
    drawn: Mapping[str, DrawnEdge],
    measured: Mapping[frozenset[str], Relation],
    rooted: Rooted,
    *,
    fixed: bool,
) -> tuple[str, dict[str, DrawnEdge]]:
    """The root and the edges after second thoughts (:mod:`lineage_graph.angles`) about edges between present models."""
    order = {node: number for number, node in enumerate(nodes)}
    parent = {edge.child: edge.parent for edge in drawn.values() if edge.child in order and edge.parent in order}
    tops = {edge.child for edge in drawn.values() if edge.child not in parent} | ({rooted.root} if fixed else set())

    def squared(one: str, other: str) -> float:
        found = measured.get(frozenset((one, other)))
        # What rounding or pruning did to a model is no update, whose angle could tell something.
        return found.squared if found is not None and found.apart > -math.inf else math.nan

    def log_odds(one: str, other: str) -> float:
        found = measured.get(frozenset((one, other)))
        signed = (cue.log_odds * (2 * rooted.signs.get(cue.sign, 1.0) - 1) for cue in (found.cues if found else ()))
        return sum(signed) * (1.0 if found is not None and found.u == one else -1.0)

    tree = Tree(parent, tops, squared, log_odds)
    # Around unseen nodes every angle is odd: what siblings share of them is what shows that they are there.
    if {end for edge in drawn.values() for end in (edge.parent, edge.child)} <= order.keys():
        tree.settle(order)
    settled = {child: edge for child, edge in drawn.items() if child not in order or child in tops}
    for child, above in tree.parent.items():
        known = drawn.get(child)
        if known is not None and known.parent == above:
            settled[child] = known
            continue
        turned = drawn.get(above) if known is None or (above in drawn and drawn[above].parent == child) else None
        edge = _moved(
            replace(turned or known or next(iter(drawn.values())), child=child), above, measured, rooted.signs
        )
        gain = tree.certainty.get(above, 0.0)
        settled[child] = replace(edge, direction=logistic(gain)) if turned is not None else edge
    top = next((node for node in nodes if parent and node not in settled), rooted.root)
    return (top if rooted.root in order else rooted.root), settled


def _gives_way(
    node: str,
    drawn: Mapping[str, DrawnEdge],
    unseen: Collection[str],
    measured: Mapping[frozenset[str], Relation],
) -> bool:
    """Does an unseen node lie surely below a model that was measured against all its children? They descend from that
    model with or without it, and whether it is there is the less certain.
    """
    above = drawn.get(node)
    if above is None or above.parent in unseen or above.parent == _BETWEEN or above.direction < FIRM:
        return False
    children = [edge.child for edge in drawn.values() if edge.parent == node]
    return all(child not in unseen and frozenset((above.parent, child)) in measured for child in children)


def _moved(
    edge: DrawnEdge, parent: str, measured: Mapping[frozenset[str], Relation], signs: Mapping[str, float]
) -> DrawnEdge:
    """The edge to the same child from ``parent``, above its present one."""
    relation = measured[frozenset((parent, edge.child))]
    found = conflict(relation.cues, 1.0 if relation.u == parent else -1.0, signs)
    return replace(edge, parent=parent, squared=relation.squared, pair=(parent, edge.child), conflict=found)
