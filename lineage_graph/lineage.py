"""Scored pairs → the lineage graph: families, roots, directions, several parents, and each model's facts.

The graph algorithms are here and in :mod:`lineage_graph.families`. Edges run away from the root of each tree, and a
model of several parents that would close a circle is drawn with one, so the graph is acyclic by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import networkx as nx

from lineage_graph import families, links
from lineage_graph.calibration import Calibration
from lineage_graph.descent import unseen_names
from lineage_graph.families import Key, Tree
from lineage_graph.kinship import Blend, BlockOrigin, Splice, parents
from lineage_graph.types import Failure, LineageGraph, Model, Rejected, ScoredPair

NEAREST_MISSES = 3
"""Rejected pairs kept for each model."""

LEAST_MISS = 1e-3
"""Confidence below which a pair is not even a near miss."""


@dataclass(frozen=True, slots=True)
class LineageSettings:
    """``threshold``: confidence from which a pair counts as related, 0 to 1. ``calibration``: what edges are worth."""

    threshold: float
    calibration: Calibration = field(default_factory=Calibration)


def assemble(
    name: str,
    models: Sequence[Model],
    pairs: Iterable[ScoredPair],
    failures: Sequence[Failure],
    settings: LineageSettings,
    several: Sequence[Blend | Splice] = (),
) -> LineageGraph:
    """The lineage graph of ``models``. Deterministic, and independent of ids but for exact ties between duplicates.

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
    taken = {*by_id, *(failure.id for failure in failures)}
    drawn, unseen = links.of_trees(trees, related, settings.calibration, unseen_names(taken))
    drawn += [
        *links.of_several(blended, known, settings.calibration),
        *links.of_copies(folded, settings.calibration),
    ]
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from([*by_id, *unseen])
    for link in drawn:
        claims = by_id[link.child].checkpoint.declared_parents if link.child in by_id else ()
        declared = _declared(claims, link.parent, folded.keeper)
        graph.add_edge(link.parent, link.child, **link.attributes(declared))
    _describe_nodes(graph, models)
    for failure in failures:
        graph.add_node(failure.id, **_failed(failure))
    return LineageGraph(name, graph, _near_misses(pairs, accepted), tuple(failures))


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


def descendants(lineage: LineageGraph) -> dict[str, set[str]]:
    """By model that has any, everything that descends from it."""
    graph = lineage.graph
    return {node: nx.descendants(graph, node) for node in graph if graph.out_degree(node)}


def attach_origins(lineage: LineageGraph, origins: Mapping[str, Sequence[BlockOrigin]]) -> None:
    """Write the origin of each block into the models' attributes."""
    for model, blocks in origins.items():
        lineage.graph.nodes[model]["origins"] = [
            {**asdict(one), "runners": [list(runner) for runner in one.runners]} for one in blocks
        ]


def attach_distances(lineage: LineageGraph, apart: Mapping[tuple[str, str], Mapping[str, float]]) -> None:
    """Write the distance of each block into the edges' attributes."""
    for edge, blocks in apart.items():
        lineage.graph.edges[edge]["by_block"] = dict(blocks)


def canonical(model: Model) -> tuple[str, str]:
    """The order of models that decides ties: by content, and by id only between equal bytes."""
    return model.fingerprint.digest, model.id


def _declared(claims: Sequence[str], parent: str, keeper: Mapping[str, str]) -> str:
    """What the child's claims say of this parent; copies count as one model, and models outside the zoo not at all."""
    known = {keeper[claim] for claim in claims if claim in keeper}
    if not known:
        return "absent"
    return "confirmed" if keeper.get(parent) in known else "contradicted"


def _describe_nodes(graph: nx.DiGraph[str], models: Sequence[Model]) -> None:
    """Families in order of size, generations by the longest way down from a root, and each model's facts."""
    rank = {node: index for index, node in enumerate(graph)}
    families = sorted(nx.weakly_connected_components(graph), key=lambda c: (-len(c), min(rank[n] for n in c)))
    family = {node: index for index, members in enumerate(families, start=1) for node in members}
    generation: dict[str, int] = {}
    for node in nx.topological_sort(graph):
        generation[node] = 1 + max((generation[parent] for parent in graph.predecessors(node)), default=0)
    for node, data in graph.nodes(data=True):
        data.update(family=family[node], generation=generation[node], **_unseen(node))
    for model in models:
        graph.nodes[model.id].update(
            role=_role(graph.in_degree(model.id), graph.out_degree(model.id)),
            **_facts(model),
        )


def _role(parents: int, children: int) -> str:
    if parents == 0:
        return "root" if children else "isolated"
    return "merge" if parents > 1 else "child"


def _facts(model: Model) -> dict[str, Any]:
    checkpoint, fingerprint = model.checkpoint, model.fingerprint
    return {
        "label": model.id,
        "architecture": checkpoint.arch or fingerprint.architecture or f"shapes-{fingerprint.signature[:8]}",
        "parameters": fingerprint.parameters,
        "format": fingerprint.format,
        "source": checkpoint.source,
        "sha256": fingerprint.digest,
        "declared_parents": list(checkpoint.declared_parents),
        "features": _features(model),
        "weights": "sampled" if model.sampled else "",
        "license": checkpoint.card.license if checkpoint.card else "",
        "created": checkpoint.created.isoformat() if checkpoint.created else "",
        "library": checkpoint.card.library if checkpoint.card else "",
        "audit": "",
        "status": "ok",
        "message": "",
        "origins": [],
    }


def _features(model: Model) -> str:
    """The network that gave the features, and what it did without; or why there are none."""
    if model.features is None:
        return ""
    group, note = model.features.group, model.features.note
    return f"{group}; {note}" if group and note else group or f"none: {note}"


def _failed(failure: Failure) -> dict[str, Any]:
    nothing = {**_unseen(failure.id), "role": "isolated", "family": 0, "generation": 0}
    return {**nothing, "source": failure.source, "status": failure.error, "message": failure.message}


def _unseen(node: str) -> dict[str, Any]:
    """The facts of a node of which nothing but its place is known."""
    return {
        "label": node,
        "role": "unseen",
        "architecture": "",
        "parameters": 0,
        "format": "",
        "source": "",
        "sha256": "",
        "declared_parents": [],
        "features": "",
        "weights": "",
        "license": "",
        "created": "",
        "library": "",
        "audit": "",
        "status": "ok",
        "message": "",
        "origins": [],
    }


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
