"""What was drawn of the parts of a zoo → its lineage graph, with each model's facts, family and generation.

Nothing is decided here: nodes and edges come in an order of their own, whichever part was drawn first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import networkx as nx

from lineage_graph.descent import unseen_names
from lineage_graph.lineage import Drawn, canonical
from lineage_graph.types import Failure, LineageGraph, Model


def joined(name: str, models: Sequence[Model], parts: Sequence[Drawn], failures: Sequence[Failure]) -> LineageGraph:
    """The graph of all ``models`` and ``failures``. ``parts``: no two of them are about the same model."""
    models = sorted(models, key=canonical)
    rank = {model.id: number for number, model in enumerate(models)}
    names = unseen_names({*rank, *(failure.id for failure in failures)})
    parts = sorted(parts, key=lambda part: _first(part, rank))
    parts = [_renamed(part, {one: next(names) for one in part.unseen}) for part in parts]
    rank |= {one: number for number, one in enumerate((one for part in parts for one in part.unseen), len(models))}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(rank)
    edges = ((parent, child, dict(data)) for part in parts for parent, child, data in part.edges)
    graph.add_edges_from(sorted(edges, key=lambda edge: (rank[edge[0]], rank[edge[1]])))
    _describe_nodes(graph, models)
    for part in parts:
        for model, blocks in part.origins.items():
            graph.nodes[model]["origins"] = list(blocks)
    for failure in failures:
        graph.add_node(failure.id, **_failed(failure))
    rejected = (one for part in parts for one in part.rejected)
    likelier = sorted(rejected, key=lambda one: (-one.confidence, rank[one.a], rank[one.b]))
    return LineageGraph(name, graph, tuple(likelier), tuple(failures))


def _first(part: Drawn, rank: Mapping[str, int]) -> int:
    """The rank of the first model that an edge leads to or from; where there is none, the order makes no difference."""
    ends = {end for parent, child, _ in part.edges for end in (parent, child)}
    return min((rank[end] for end in ends.difference(part.unseen)), default=0)


def _renamed(part: Drawn, names: Mapping[str, str]) -> Drawn:
    """The part with other ``names`` of its unseen nodes."""
    edges = ((names.get(parent, parent), names.get(child, child), data) for parent, child, data in part.edges)
    return replace(part, edges=tuple(edges), unseen=tuple(names.values()))


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
