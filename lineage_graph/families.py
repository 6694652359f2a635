"""Related pairs → families: copies folded into one, the tree of each family, and the subtrees below its merges.

Updates of different training runs are nearly orthogonal, so squared weight distances add up along lineage edges: inside
a family the undirected tree is the minimum spanning tree of the squared distances, whichever node is the root. A model
with several parents lies between them, where it would pull the tree apart: it is taken out, and what descends from it
is a tree of its own below it.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import networkx as nx

from lineage_graph.kinship import ancestors
from lineage_graph.types import ScoredPair

Key = frozenset[str]
Shares = Mapping[str, float]
"""By parent, its coefficient."""

EXACT = 1e-5
"""Of ``masked``: rounding alone leaves so little where nothing but zeros was set. Of 31 pairs of grown zoos (recipes
typed and laundered, seeds 100 and 101) those of a pruned model and its origin, or a copy of it, have 2e-6 at most, and
the origin's other relatives 3e-4 at least."""

TAKEN_OUT = 1e6
"""How much farther models of unlike widths count, so that they are joined by one edge once all others are drawn."""

FARTHER = 1.05
"""How many times as far a model that was made of another one without training counts to be from all others: rounding
changes distances by less, and an adapter kept beside the weights not at all, so that it could stand for its original,
though hardly anything is trained from it."""

LEAST_LENGTH = 1e-9
"""By which such a model is farther from others where all weights are equal."""

APART = 0.45
"""Cosine up to which two fine-tunes of one model go ways of their own: they learn a part alike."""

DECIDED = 2.5
"""Log-odds of cues from which they decide against geometry."""

SAME_LENGTH = 0.25
"""Relative difference of two squared lengths that updates which are only nearly orthogonal can make."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One undirected tree: ``nodes`` in canonical order, its ``edges``, and the ``root`` where it is known already."""

    nodes: tuple[str, ...]
    edges: tuple[ScoredPair, ...]
    root: str | None = None


@dataclass(frozen=True, slots=True)
class Folded:
    """``keeper`` of every model: itself, unless it is a copy. ``copies``: the pair that ties each of them to it."""

    keeper: Mapping[str, str]
    copies: Mapping[str, ScoredPair]


def key(pair: ScoredPair) -> Key:
    """The two models of a pair, whichever comes first."""
    return frozenset((pair.a, pair.b))


def fold_duplicates(nodes: Sequence[str], accepted: Mapping[Key, ScoredPair]) -> Folded:
    """Equal weights are one node of the tree: each model's keeper, and for each copy the pair that ties it to it.

    Where a date or a coarser format says which one is the original, it is the keeper; otherwise the first in the order
    of ``nodes``. A copy without a pair of its own with the keeper borrows one of the group, without its direction.
    """
    same: nx.Graph[str] = nx.Graph()
    same.add_nodes_from(nodes)
    duplicates = [pair for pair in accepted.values() if pair.kind == "duplicate"]
    same.add_edges_from((pair.a, pair.b) for pair in duplicates)
    keeper = {node: node for node in nodes}
    copies: dict[str, ScoredPair] = {}
    rank = {node: index for index, node in enumerate(nodes)}
    for group in nx.connected_components(same):
        seniority = dict.fromkeys(group, 0.0)
        inside = [pair for pair in duplicates if pair.a in group]
        for pair in inside:
            seniority[pair.a] += known_log_odds(pair)
            seniority[pair.b] -= known_log_odds(pair)
        original = min(group, key=lambda node: (-round(seniority[node], 9), rank[node]))
        for copy in group - {original}:
            keeper[copy] = original
            tie = accepted.get(frozenset((original, copy)))
            copies[copy] = tie or replace(next(p for p in inside if copy in (p.a, p.b)), direction=())
    return Folded(keeper, dict(sorted(copies.items(), key=lambda item: rank[item[0]])))


def between_keepers(pairs: Mapping[Key, ScoredPair], keeper: Mapping[str, str]) -> dict[Key, ScoredPair]:
    """The pairs as seen between keepers: what a copy is related to, its keeper is.

    Two keepers' own pair counts where there is one: how a copy was stored, reordered or rescaled is the copy's alone,
    and would speak of its keeper. Of several others the nearest counts.
    """
    best: dict[Key, ScoredPair] = {}
    own = {ends for ends in pairs if all(keeper[end] == end for end in ends)}
    for pair in pairs.values():
        moved = replace(pair, a=keeper[pair.a], b=keeper[pair.b])
        ends = key(moved)
        if pair.kind == "duplicate" or len(ends) != 2 or (ends in own and key(pair) != ends):
            continue
        if ends not in best or moved.distance < best[ends].distance:
            best[ends] = moved
    return best


def length(pair: ScoredPair) -> float:
    """How far apart two models count in the choice of a tree: their distance, where it is of the same weights for all.

    A model that has lost units is nearer to everybody, in what it has left, than those are to one another. Zeros add
    alike to the distances from all relatives, and more where weights are larger: an exact origin is at hardly any.
    """
    if pair.kind == "prune" and abs(abs(pair.evidence.get("masked", 0.0)) - 1) < EXACT:
        return pair.distance * EXACT
    return pair.distance * (TAKEN_OUT if "units_lost" in pair.evidence else 1.0)


def made(pair: ScoredPair) -> str:
    """Which of two models is the other's rounded copy, or the other one with an adapter beside it; empty for none."""
    if pair.kind == "quantize":
        sign = pair.evidence.get("lattice_loss", 0.0)
    elif pair.evidence.get("identical") == 1.0 == pair.evidence.get("inherited"):
        sign = pair.evidence.get("adapter_gain", 0.0)
    else:
        return ""
    return (pair.b if sign > 0 else pair.a) if sign else ""


def known_log_odds(pair: ScoredPair) -> float:
    """What the cues whose sign is known say for a → b."""
    return sum(cue.log_odds for cue in pair.direction if cue.sign_prior == 1)


def trees(nodes: Sequence[str], pairs: Mapping[Key, ScoredPair], several: Mapping[str, Shares]) -> Iterator[Tree]:
    """The trees of all families. ``several``: of each model with several parents, the shares that it takes of them; it
    is the root of its own tree.

    Deterministic: ties go by the order of ``nodes``.
    """
    rank = {node: index for index, node in enumerate(nodes)}
    related = _graph(nodes, pairs, rank)
    forest = nx.minimum_spanning_tree(related, weight="length")
    blended = set(several)
    for child in several:
        forest.remove_edges_from([(child, other) for other in _not_below(child, forest, related, several)])
    apart: set[str] = set()
    for component in list(nx.connected_components(forest)):
        if blended & component:
            apart |= component
            yield from _below(component, blended, forest, rank)
    rest = nx.minimum_spanning_tree(related.subgraph([node for node in nodes if node not in apart]), weight="length")
    for component in sorted(nx.connected_components(rest), key=lambda c: min(rank[n] for n in c)):
        yield _tree(component, rest, rank, None)


def _graph(nodes: Sequence[str], pairs: Mapping[Key, ScoredPair], rank: Mapping[str, int]) -> nx.Graph[str]:
    related: nx.Graph[str] = nx.Graph()
    related.add_nodes_from(nodes)
    lengths = _lengths(pairs)
    # Kruskal keeps the order of insertion among equal weights: sort, so that ties do not depend on names.
    for ends, pair in sorted(pairs.items(), key=lambda p: (lengths[p[0]], *sorted((rank[p[1].a], rank[p[1].b])))):
        related.add_edge(pair.a, pair.b, weight=pair.distance**2, length=lengths[ends] ** 2, pair=pair)
    return related


def _lengths(pairs: Mapping[Key, ScoredPair]) -> dict[Key, float]:
    """The lengths of the pairs; from a model that was made of another one, the way there comes on top."""
    origins = {child: length(pair) for pair in pairs.values() if (child := made(pair))}
    lengths = {}
    for ends, pair in pairs.items():
        stand_ins = [origins[end] for end in ends if end in origins] if not made(pair) else []
        # More than nothing, too, where weights are equal.
        lengths[ends] = math.hypot(length(pair) * FARTHER, LEAST_LENGTH, *stand_ins) if stand_ins else length(pair)
    return lengths


def _not_below(child: str, forest: nx.Graph[str], related: nx.Graph[str], several: Mapping[str, Shares]) -> set[str]:
    """Neighbours in the forest that do not descend from ``child``: its parents, their common origin, what a direction
    cue puts before it, and whatever leads to one of its parents, or to those from whom these were put together.
    """
    shares = several[child]
    above = ancestors(shares, {one: list(theirs) for one, theirs in several.items()})
    cut = set()
    around = forest.subgraph(set(forest) - {child})
    for neighbour in forest.neighbors(child):
        pair: ScoredPair = forest.edges[child, neighbour]["pair"]
        downward = known_log_odds(pair) * (1 if pair.a == child else -1)
        beyond = nx.node_connected_component(around, neighbour)
        origin = downward < DECIDED and (
            (downward == 0 and _is_origin(neighbour, child, shares, related))
            or _only_origin(neighbour, child, shares, related, several)
        )
        if downward < 0 or beyond & above or origin:
            cut.add(neighbour)
    return cut


def _is_origin(node: str, child: str, shares: Shares, related: nx.Graph[str]) -> bool:
    """Is ``node`` the common origin of the parents? Their updates from there are orthogonal, so the squared lengths of
    the shares that ``child`` takes of them add up; from a descendant of ``child`` they do not.
    """
    if any(not related.has_edge(node, parent) for parent in shares):
        return False
    apart = sum(share**2 * related.edges[node, parent]["weight"] for parent, share in shares.items())
    return abs(related.edges[node, child]["weight"] / apart - 1) < SAME_LENGTH if apart > 0 else False


def _only_origin(node: str, child: str, shares: Shares, related: nx.Graph[str], blended: Container[str]) -> bool:
    """Do the parents branch off from ``node``, and from no other model that is none of several parents itself? What
    they have in common, and learn alike, lies between them, where the sum does, so that their origin is nearest to it.
    """
    others = (other for other in related.neighbors(child) if other not in shares and other not in blended)
    return [other for other in others if _branch_off(other, list(shares), related)] == [node]


def _branch_off(node: str, parents: Sequence[str], related: nx.Graph[str]) -> bool:
    """Do the ways from ``node`` to the ``parents`` run apart soon, of all that are measured?"""
    if any(not related.has_edge(node, parent) for parent in parents):
        return False
    squared = {parent: related.edges[node, parent]["weight"] for parent in parents}
    for one, other in combinations(parents, 2):
        if not related.has_edge(one, other):
            return False
        shared = (squared[one] + squared[other] - related.edges[one, other]["weight"]) / 2
        if shared > APART * math.sqrt(squared[one] * squared[other]):
            return False
    return True


def _below(component: set[str], blended: set[str], forest: nx.Graph[str], rank: Mapping[str, int]) -> Iterator[Tree]:
    """The trees of a component that holds models with several parents: cut above each of these, rooted in it."""
    first = min(blended & component, key=rank.__getitem__)
    cut = nx.Graph(forest.subgraph(component))
    for parent, child in list(nx.bfs_edges(cut, first)):
        if child in blended:
            cut.remove_edge(parent, child)
    for part in nx.connected_components(cut):
        yield _tree(part, cut, rank, next(iter(blended & part)))


def _tree(component: set[str], forest: nx.Graph[str], rank: Mapping[str, int], root: str | None) -> Tree:
    members = sorted(component, key=rank.__getitem__)
    edges = tuple(data["pair"] for _, _, data in forest.edges(members, data=True))
    return Tree(tuple(members), edges, root)
