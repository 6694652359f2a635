"""The assembled graph as ``lineage.json``, in a stream: node-link JSON of :mod:`lineage_graph.render.node_link`, one
model and one edge a line, so that no more than a few thousand of them are ever held as text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lineage_graph.render.schema import EDGE, NODE, jsonable
from lineage_graph.scale.assembled import Lineage
from lineage_graph.scale.judged import KINDS
from lineage_graph.scale.population import FACTS, Ints, Population

CHUNK = 1 << 12
"""Models or edges held as records at a time."""

REASON = "the weights agree no more than strangers' do (cosine of sketches {:.2f})"


def pieces(name: str, population: Population, lineage: Lineage) -> Iterator[str]:
    """The text, piece by piece; ASCII, like all of ``lineage.json``."""
    order = population.facts.written_order(lineage.family, lineage.generation)
    yield f'{{\n "name": {json.dumps(name)},\n "directed": true,\n "multigraph": false,\n "graph": {{}},\n'
    yield from _listed("nodes", _nodes(population, lineage, order))
    yield from _listed("edges", _edges(population, lineage, order))
    yield from _listed("rejected", _rejected(population, lineage))
    yield ' "failures": []\n}\n'


def _listed(part: str, records: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    yield f' "{part}": ['
    separator = "\n  "
    for record in records:
        yield separator + json.dumps(jsonable(record), allow_nan=False)
        separator = ",\n  "
    yield "\n ],\n"


def _nodes(population: Population, lineage: Lineage, order: Ints) -> Iterator[dict[str, Any]]:
    count = len(population)
    parents = np.bincount(lineage.edges.child, minlength=count)
    children = np.bincount(lineage.edges.parent, minlength=count)
    blank = {name: kind() for name, kind in NODE.items()}
    for start in range(0, count, CHUNK):
        rows = order[start : start + CHUNK]
        facts = [population.facts.column(name, rows) for name in FACTS]
        for row, values in zip(rows.tolist(), zip(*facts, strict=True), strict=True):
            one = dict(zip(FACTS, values, strict=True))
            yield {
                **blank,
                "id": one["id"],
                "label": one["id"],
                "family": int(lineage.family[row]),
                "generation": int(lineage.generation[row]),
                "role": _role(int(parents[row]), int(children[row])),
                "architecture": one["arch"] or one["architecture"] or f"shapes-{one['signature'][:8]}",
                "sha256": one["digest"],
                "created": one["created"].isoformat() if one["created"] else "",
                **{name: one[name] for name in ("parameters", "format", "source", "declared_parents")},
                "status": "ok",
            }


def _role(parents: int, children: int) -> str:
    if parents == 0:
        return "root" if children else "isolated"
    return "merge" if parents > 1 else "child"


def _edges(population: Population, lineage: Lineage, order: Ints) -> Iterator[dict[str, Any]]:
    edges = lineage.edges
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    listed = np.lexsort((rank[edges.child], rank[edges.parent]))
    blank = {name: kind() for name, kind in EDGE.items()}
    for start in range(0, len(listed), CHUNK):
        part = edges.where(listed[start : start + CHUNK])
        ends = [population.facts.column("id", rows) for rows in (part.parent, part.child)]
        declared = _declared(population, lineage, part.parent, part.child)
        for number, (parent, child, claim) in enumerate(zip(*ends, declared, strict=True)):
            evidence = {name: float(values[number]) for name, values in part.evidence.items()}
            known = {name: value for name, value in evidence.items() if not math.isnan(value)}
            yield {
                **blank,
                "source": parent,
                "target": child,
                "kind": KINDS[part.kind[number]],
                "confidence": float(part.confidence[number]),
                "direction_confidence": float(part.direction[number]),
                "distance": float(part.distance[number]),
                "evidence": {"sketched": 1.0, **known},
                "declared": claim,
            }


def _declared(population: Population, lineage: Lineage, parent: Ints, child: Ints) -> list[str]:
    """What the children's claims say of these parents, as in :mod:`lineage_graph.lineage`."""
    claims = population.facts.column("declared_parents", child)
    names = sorted({name for claimed in claims for name in claimed})
    number = dict(zip(names, population.facts.numbers(names).tolist(), strict=True))
    found = []
    for claimed, above in zip(claims, lineage.keeper[parent].tolist(), strict=True):
        known = {int(lineage.keeper[number[name]]) for name in claimed if number[name] >= 0}
        found.append("absent" if not known else "confirmed" if above in known else "contradicted")
    return found


def _rejected(population: Population, lineage: Lineage) -> Iterator[dict[str, Any]]:
    for start in range(0, len(lineage.misses), CHUNK):
        part = lineage.misses.where(np.arange(start, min(start + CHUNK, len(lineage.misses))))
        ends = [population.facts.column("id", rows) for rows in (part.i, part.j)]
        numbers = zip(part.confidence.tolist(), part.squared.tolist(), part.cosine.tolist(), strict=True)
        for a, b, (confidence, squared, cosine) in zip(*ends, numbers, strict=True):
            reason = REASON.format(cosine)
            yield {"a": a, "b": b, "confidence": confidence, "distance": squared**0.5, "reason": reason}
