"""Scored pairs → what is drawn of them: trees, roots, directions, several parents.

The graph algorithms are here and in :mod:`lineage_graph.families`. Edges run away from the root of each tree, and a
model of several parents that would close a circle is drawn with one, so the graph is acyclic by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import networkx as nx

from lineage_graph import families, links
from lineage_graph.calibration import Calibration
from lineage_graph.descent import unseen_names
from lineage_graph.families import Key, Tree
from lineage_graph.kinship import Blend, BlockOrigin, Splice, parents
from lineage_graph.types import Model, Rejected, ScoredPair

NEAREST_MISSES = 3
"""Rejected pairs kept for each model."""

LEAST_MISS = 1e-3
"""Confidence below which a pair is not even a near miss."""


@dataclass(frozen=True, slots=True)
class LineageSettings:
    """``threshold``: confidence from which a pair counts as related, 0 to 1. ``calibration``: what edges are worth."""

    threshold: float
    calibration: Calibration = field(default_factory=Calibration)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn of models that are nobody's relatives but one another's.

    ``edges``: (parent, child, attributes). ``unseen``: ids of nodes that are no models, as they are called here.
    ``rejected``: the near misses, best first, then what could not be compared. ``origins``: by model, those of its
    blocks.
    """

    edges: tuple[tuple[str, str, Mapping[str, Any]], ...]
    unseen: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    origins: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def descendants(self) -> dict[str, set[str]]:
        """By node that has any, everything that descends from it."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_edges_from((parent, child) for parent, child, _ in self.edges)
        return {node: nx.descendants(graph, node) for node in graph if graph.out_degree(node)}

    def with_origins(self, found: Mapping[str, Sequence[BlockOrigin]]) -> Drawn:
        """The same with the origin of each block of the models."""
        written = {
            model: [{**asdict(one), "runners": [list(runner) for runner in one.runners]} for one in blocks]
            for model, blocks in found.items()
        }
        return replace(self, origins=written)

    def with_distances(self, apart: Mapping[tuple[str, str], Mapping[str, float]]) -> Drawn:
        """The same with the distance of each block on the edges."""
        edges = (
            (parent, child, {**data, "by_block": dict(apart.get((parent, child), {}))})
            for parent, child, data in self.edges
        )
        return replace(self, edges=tuple(edges))


def draw(
    models: Sequence[Model],
    pairs: Iterable[ScoredPair],
    settings: LineageSettings,
    several: Sequence[Blend | Splice] = (),
) -> Drawn:
    """The lineage of ``models``. Deterministic, and independent of ids but for exact ties between duplicates.

    ``several``: the models that have several parents.
    """
    models = sorted(models, key=canonical)
    by_id = {model.id: model for model in models}
    pairs = list(pairs)
    measured = {families.key(pair): pair for pair in pairs}
    accepted = {ends: pair for ends, pair in measured.items() if pair.confidence >= settings.threshold}
    folded = families.fold_duplicates(list(by_id), accepted)
    keepers = [node for node in by_id if folded.keeper[node] == node]
    known = families.between_keepers(measured, folded.keeper)
    blended = links.several(several, folded.keeper, known, keepers)
    related = families.between_keepers(accepted, folded.keeper)
    trees, blended = _trees(keepers, related, blended)
    drawn, unseen = links.of_trees(trees, related, settings.calibration, unseen_names(by_id))
    drawn += [
        *links.of_several(blended, known, settings.calibration),
        *links.of_copies(folded, settings.calibration),
    ]
    edges = []
    for link in drawn:
        claims = by_id[link.child].checkpoint.declared_parents if link.child in by_id else ()
        declared = _declared(claims, link.parent, folded.keeper)
        edges.append((link.parent, link.child, link.attributes(declared)))
    return Drawn(tuple(edges), tuple(unseen), _near_misses(pairs, accepted))


def _trees(
    keepers: Sequence[str], related: Mapping[Key, ScoredPair], several: list[Blend | Splice]
) -> tuple[list[Tree], list[Blend | Splice]]:
    """The trees, and those of several parents that close no circle with them, the surer ones."""
    while True:
        trees = list(families.trees(keepers, related, {one.child: links.shares(one) for one in several}))
        closing = _closing(several, trees)
        if closing is None:
            return trees, several
        several = [one for one in several if one is not closing]


def _closing(found: Sequence[Blend | Splice], trees: Iterable[Tree]) -> Blend | Splice | None:
    """The least sure one of some that descend from one another by way of their own descendants, if there are any."""
    above = {node: tree.root for tree in trees if tree.root is not None for node in tree.nodes}
    descent: nx.DiGraph[str] = nx.DiGraph()
    descent.add_edges_from((above[parent], one.child) for one in found for parent in parents(one) if parent in above)
    circle = next((one for one in nx.strongly_connected_components(descent) if len(one) > 1), set())
    circle |= set(nx.nodes_with_selfloops(descent))
    return min((one for one in found if one.child in circle), key=lambda one: one.confidence, default=None)


def canonical(model: Model) -> tuple[str, str]:
    """The order of models that decides ties: by content, and by id only between equal bytes."""
    return model.fingerprint.digest, model.id


def _declared(claims: Sequence[str], parent: str, keeper: Mapping[str, str]) -> str:
    """What the child's claims say of this parent; copies count as one model, and models outside the zoo not at all."""
    known = {keeper[claim] for claim in claims if claim in keeper}
    if not known:
        return "absent"
    return "confirmed" if keeper.get(parent) in known else "contradicted"


def _near_misses(pairs: Iterable[ScoredPair], accepted: Mapping[Key, ScoredPair]) -> tuple[Rejected, ...]:
    """The best rejected pairs of each model, best first."""
    kept: dict[str, int] = {}
    misses = []
    for pair in sorted(pairs, key=lambda p: -p.confidence):
        if families.key(pair) in accepted or pair.confidence < LEAST_MISS:
            continue
        if min(kept.get(pair.a, 0), kept.get(pair.b, 0)) >= NEAREST_MISSES:
            continue
        for node in (pair.a, pair.b):
            kept[node] = kept.get(node, 0) + 1
        misses.append(Rejected(pair.a, pair.b, pair.confidence, pair.distance, pair.reason))
    return tuple(misses)
