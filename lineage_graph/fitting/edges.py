"""What becomes of drawn edges: which are right, and what their scores and features say of that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from lineage_graph.calibration import Logistic, group, log_odds
from lineage_graph.evaluate import Truth
from lineage_graph.fitting.regression import probability, slope
from lineage_graph.links import edge_features
from lineage_graph.types import LineageGraph


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn edge between two models of the zoo. ``score``, ``direction``: before calibration, 0 to 1. ``linked``:
    whether the truth joins the two, either way. ``directed``: whether as drawn; ``None`` where they are not joined.
    """

    kind: str
    score: float
    direction: float
    features: Mapping[str, float]
    linked: bool
    directed: bool | None


def drawn(lineage: LineageGraph, truth: Truth) -> Iterator[Drawn]:
    """Every drawn edge that the truth can judge."""
    graph = lineage.graph
    for a, b, data in graph.edges(data=True):
        unseen = "unseen" in (graph.nodes[a]["role"], graph.nodes[b]["role"])
        if unseen or frozenset((a, b)) in truth.related:
            continue
        forward, backward = (a, b) in truth.edges, (b, a) in truth.edges
        yield Drawn(
            kind=data["kind"],
            score=data["evidence"]["score"],
            direction=data["direction_confidence"],
            features=edge_features(data["kind"], data["distance"], data["evidence"].get("margin", 0.0)),
            linked=forward or backward,
            directed=forward if forward or backward else None,
        )


def confidences(edges: Iterable[Drawn]) -> dict[str, Logistic]:
    """By group of kinds, the probability that an edge joins what the truth joins; blends count as drawn only."""
    groups: dict[str, list[Drawn]] = {}
    for edge in edges:
        groups.setdefault(group(edge.kind), []).append(edge)
    fitted = {}
    for name, members in sorted(groups.items()):
        rows = [{"score": log_odds(edge.score), **(edge.features if name == "tree" else {})} for edge in members]
        right = [bool(edge.directed) if name == "several" else edge.linked for edge in members]
        fitted[name] = probability(rows, right)
    return fitted


def direction(edges: Iterable[Drawn]) -> float:
    """Factor of the pooled log-odds of a direction, over the edges that are joined, blends and copies left out."""
    towards = [
        log_odds(edge.direction) * (1 if edge.directed else -1)
        for edge in edges
        if edge.directed is not None and group(edge.kind) == "tree"
    ]
    return max(0.0, slope(np.array(towards)))
