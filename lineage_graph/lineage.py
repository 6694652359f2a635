"""Scored pairs → families, trees, roots, directions. The only user of graph algorithms.

Updates of different training runs are nearly orthogonal, so squared weight distances add up along lineage edges: inside
a family the undirected tree is the minimum spanning tree of the squared distances, whichever node is the root. The root
is a question of its own, answered by :mod:`lineage_graph.rooting` for the tree as a whole. Edges run away from the
root, so the graph is acyclic by construction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx

from lineage_graph.rooting import Rooted, TreeEdge, root_tree
from lineage_graph.signals.registry import is_signed
from lineage_graph.types import Failure, LineageGraph, Model, Rejected, ScoredPair

NEAREST_MISSES = 3
"""Rejected pairs kept for each model."""

LEAST_MISS = 1e-3
"""Confidence below which a pair is not even a near miss."""


@dataclass(frozen=True, slots=True)
class LineageSettings:
    """``threshold``: confidence from which a pair counts as related, 0 to 1."""

    threshold: float


def assemble(
    name: str,
    models: Sequence[Model],
    pairs: Iterable[ScoredPair],
    failures: Sequence[Failure],
    settings: LineageSettings,
) -> LineageGraph:
    """The lineage graph of ``models``. Deterministic, and independent of ids but for exact ties between duplicates."""
    models = sorted(models, key=canonical)
    by_id = {model.id: model for model in models}
    pairs = list(pairs)
    accepted = {_key(pair): pair for pair in pairs if pair.confidence >= settings.threshold}
    keeper, copies = _fold_duplicates(models, accepted)
    drawn: dict[str, tuple[str, ScoredPair, float]] = {}
    for rooted, edge_pairs in _trees([m.id for m in models if keeper[m.id] == m.id], _between(accepted, keeper)):
        for child, parent in rooted.parent.items():
            drawn[child] = (parent, edge_pairs[frozenset((parent, child))], rooted.direction_confidence[child])
    drawn.update({copy: (keeper[copy], pair, _pair_direction(pair, keeper[copy])) for copy, pair in copies.items()})
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(by_id)
    for child, (parent, pair, direction) in drawn.items():
        declared = _declared(by_id[child].checkpoint.declared_parents, parent, keeper)
        graph.add_edge(parent, child, **_edge(pair, parent, direction, declared))
    _describe_nodes(graph, models)
    for failure in failures:
        graph.add_node(failure.id, **_failed(failure))
    return LineageGraph(name, graph, _near_misses(pairs, accepted), tuple(failures))


def canonical(model: Model) -> tuple[str, str]:
    """The order of models that decides ties: by content, and by id only between equal bytes."""
    return model.fingerprint.digest, model.id


def _key(pair: ScoredPair) -> frozenset[str]:
    return frozenset((pair.a, pair.b))


def _fold_duplicates(
    models: Sequence[Model], accepted: Mapping[frozenset[str], ScoredPair]
) -> tuple[dict[str, str], dict[str, ScoredPair]]:
    """Equal weights are one node of the tree: each model's keeper, and for each copy the pair that ties it to it.

    Where a date or a coarser format says which one is the original, it is the keeper; otherwise the first in canonical
    order. A copy without a pair of its own with the keeper borrows one of the group, without that pair's direction.
    """
    same: nx.Graph[str] = nx.Graph()
    same.add_nodes_from(model.id for model in models)
    duplicates = [pair for pair in accepted.values() if pair.kind == "duplicate"]
    same.add_edges_from((pair.a, pair.b) for pair in duplicates)
    keeper = {model.id: model.id for model in models}
    copies: dict[str, ScoredPair] = {}
    rank = {model.id: index for index, model in enumerate(models)}
    for group in nx.connected_components(same):
        seniority = dict.fromkeys(group, 0.0)
        inside = [pair for pair in duplicates if pair.a in group]
        for pair in inside:
            seniority[pair.a] += _known_log_odds(pair)
            seniority[pair.b] -= _known_log_odds(pair)
        original = min(group, key=lambda node: (-round(seniority[node], 9), rank[node]))
        for copy in group - {original}:
            keeper[copy] = original
            tie = accepted.get(frozenset((original, copy)))
            copies[copy] = tie or replace(next(p for p in inside if copy in (p.a, p.b)), direction=())
    return keeper, dict(sorted(copies.items(), key=lambda item: rank[item[0]]))


def _between(accepted: Mapping[frozenset[str], ScoredPair], keeper: Mapping[str, str]) -> list[ScoredPair]:
    """The pairs as seen between keepers: what a copy is related to, its keeper is; of several the nearest counts."""
    best: dict[frozenset[str], ScoredPair] = {}
    for pair in accepted.values():
        moved = replace(pair, a=keeper[pair.a], b=keeper[pair.b])
        key = _key(moved)
        if pair.kind != "duplicate" and len(key) == 2 and (key not in best or moved.distance < best[key].distance):
            best[key] = moved
    return list(best.values())


def _known_log_odds(pair: ScoredPair) -> float:
    """What the cues whose sign is known say for a → b."""
    return sum(cue.log_odds for cue in pair.direction if cue.sign_prior == 1)


def _pair_direction(pair: ScoredPair, parent: str) -> float:
    """Probability, at least ½, of the direction drawn between two copies."""
    for_a = 1 / (1 + math.exp(-_known_log_odds(pair)))
    return max(0.5, for_a if pair.a == parent else 1 - for_a)


def _trees(
    nodes: Sequence[str], pairs: Sequence[ScoredPair]
) -> Iterable[tuple[Rooted, dict[frozenset[str], ScoredPair]]]:
    """Each family's rooted tree, with the pairs that are its edges."""
    rank = {node: index for index, node in enumerate(nodes)}
    related: nx.Graph[str] = nx.Graph()
    related.add_nodes_from(nodes)
    # Kruskal keeps the order of insertion among equal weights: sort, so that ties do not depend on names.
    for pair in sorted(pairs, key=lambda p: (p.distance, *sorted((rank[p.a], rank[p.b])))):
        related.add_edge(pair.a, pair.b, weight=pair.distance**2, pair=pair)
    forest = nx.minimum_spanning_tree(related)
    for component in sorted(nx.connected_components(forest), key=lambda c: min(rank[n] for n in c)):
        members = sorted(component, key=rank.__getitem__)
        edges = {_key(data["pair"]): data["pair"] for _, _, data in forest.edges(members, data=True)}
        tree = [TreeEdge(pair.a, pair.b, pair.direction) for pair in edges.values()]
        yield root_tree(members, tree), edges


def _edge(pair: ScoredPair, parent: str, direction_confidence: float, declared: str) -> dict[str, Any]:
    """The attributes of the edge from ``parent``; signals of direction and their log-odds point along it."""
    sign = 1.0 if pair.a == parent else -1.0
    evidence = {name: sign * value if is_signed(name) else value for name, value in pair.evidence.items()}
    evidence.update({f"direction.{cue.name}": sign * cue.log_odds for cue in pair.direction})
    return {
        "kind": pair.kind,
        "confidence": pair.confidence,
        "direction_confidence": direction_confidence,
        "distance": pair.distance,
        "evidence": evidence,
        "declared": declared,
    }


def _declared(claims: Sequence[str], parent: str, keeper: Mapping[str, str]) -> str:
    """What the child's claims say of this parent; copies count as one model, and models outside the zoo not at all."""
    known = {keeper[claim] for claim in claims if claim in keeper}
    if not known:
        return "absent"
    return "confirmed" if keeper[parent] in known else "contradicted"


def _describe_nodes(graph: nx.DiGraph[str], models: Sequence[Model]) -> None:
    """Families in order of size, generations by the longest way down from a root, and each model's facts."""
    rank = {model.id: index for index, model in enumerate(models)}
    families = sorted(nx.weakly_connected_components(graph), key=lambda c: (-len(c), min(rank[n] for n in c)))
    family = {node: index for index, members in enumerate(families, start=1) for node in members}
    generation: dict[str, int] = {}
    for node in nx.topological_sort(graph):
        generation[node] = 1 + max((generation[parent] for parent in graph.predecessors(node)), default=0)
    for model in models:
        graph.nodes[model.id].update(
            family=family[model.id],
            generation=generation[model.id],
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
        "status": "ok",
        "message": "",
    }


def _features(model: Model) -> str:
    """The network that gave the features, and what it did without; or why there are none."""
    if model.features is None:
        return ""
    group, note = model.features.group, model.features.note
    return f"{group}; {note}" if group and note else group or f"none: {note}"


def _failed(failure: Failure) -> dict[str, Any]:
    return {
        "label": failure.id,
        "family": 0,
        "generation": 0,
        "role": "isolated",
        "architecture": "",
        "parameters": 0,
        "format": "",
        "source": failure.source,
        "sha256": "",
        "declared_parents": [],
        "features": "",
        "status": failure.error,
        "message": failure.message,
    }


def _near_misses(pairs: Iterable[ScoredPair], accepted: Mapping[frozenset[str], ScoredPair]) -> tuple[Rejected, ...]:
    """The best rejected pairs of each model, best first."""
    kept: dict[str, int] = {}
    misses = []
    for pair in sorted(pairs, key=lambda p: -p.confidence):
        if _key(pair) in accepted or pair.confidence < LEAST_MISS:
            continue
        if min(kept.get(pair.a, 0), kept.get(pair.b, 0)) >= NEAREST_MISSES:
            continue
        for node in (pair.a, pair.b):
            kept[node] = kept.get(node, 0) + 1
        misses.append(Rejected(pair.a, pair.b, pair.confidence, pair.distance, pair.reason))
    return tuple(misses)
