"""The edges to be drawn, as columns, with what speaks for them: the numbers of :mod:`lineage_graph.links`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lineage_graph.calibration import LARGEST_LOG_ODDS, Calibration, group
from lineage_graph.links import LARGEST_LENGTH, LEAST_LENGTH
from lineage_graph.scale import judged, margins
from lineage_graph.scale.judged import DUPLICATE, FINETUNE, KINDS, MERGE, Pairs
from lineage_graph.scale.merged import Sum
from lineage_graph.scale.population import Flags, Floats, Ints, Population
from lineage_graph.scale.rooted import Rooted

PLAIN = ("parent", "child", "kind", "confidence", "direction", "distance")
"""Columns beside the evidence."""


@dataclass(frozen=True, slots=True)
class Edges:
    """``kind``: numbers of :data:`~lineage_graph.scale.judged.KINDS`; ``distance``: relative; ``evidence``: by name,
    turned along the edge, NaN where a signal does not apply. All of shape (edges,).
    """

    parent: Ints
    child: Ints
    kind: npt.NDArray[np.int8]
    confidence: Floats
    direction: Floats
    distance: Floats
    evidence: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.parent)

    def where(self, chosen: Flags | Ints) -> Edges:
        """Some of them."""
        evidence = {name: values[chosen] for name, values in self.evidence.items()}
        return replace(self, evidence=evidence, **{name: getattr(self, name)[chosen] for name in PLAIN})


def of_trees(
    population: Population,
    trees: Pairs,
    lengths: Floats,
    lower: Ints,
    rooted: Rooted,
    other: Floats,
    calibration: Calibration,
) -> Edges:
    """The trees' edges, in the order of the children.

    ``lengths``: squared, by which the ``trees`` were chosen; ``lower``: which end of each is lower in the walk.
    ``other``: by node, the squared length of what could stand in its edge's place.
    """
    pair_of = np.full(len(population), -1)
    pair_of[lower] = np.arange(len(trees))
    child = np.flatnonzero(rooted.parent >= 0)
    edge = rooted.edge[child]
    number = pair_of[edge]
    pairs = trees.where(number)
    sign = np.where(child == pairs.j, 1.0, -1.0)
    margin = margins.margin(lengths[number], other[edge])
    likely = pairs.confidence * (1 - rooted.apart[child])
    direction = _directed(rooted.direction[child], calibration)
    evidence = {"cosine": pairs.cosine, "score": likely, "margin": margin, "apart": rooted.apart[child]}
    for name, values in judged.signals(population, pairs):
        evidence[name] = sign * values
    for name, (log_odds, _) in judged.log_odds(population, pairs, calibration).items():
        evidence[f"direction.{name}"] = np.where(log_odds == 0, np.nan, sign * log_odds)
    distance = np.sqrt(pairs.squared)
    confidence = _calibrated(pairs, likely, margin, distance, calibration) * direction
    return Edges(rooted.parent[child], child, pairs.kind, confidence, direction, distance, evidence)


def _calibrated(pairs: Pairs, likely: Floats, margin: Floats, distance: Floats, calibration: Calibration) -> Floats:
    """``Calibration.confidence`` of many edges of trees, with the features of ``links.edge_features``."""
    from scipy.special import expit

    fitted = calibration.edges.get(group(KINDS[FINETUNE]))
    if fitted is None:
        return likely
    features = {
        "score": _log_odds(likely),
        "margin": margin,
        "length": np.log(np.clip(distance, LEAST_LENGTH, LARGEST_LENGTH)),
        "typed": (pairs.kind != FINETUNE).astype(float),
    }
    total = fitted.intercept + sum(weight * features[name] for name, weight in fitted.weights.items())
    calibrated: Floats = expit(total)
    return calibrated


def _log_odds(probability: Floats) -> Floats:
    from scipy.special import logit

    bounded: Floats = np.clip(logit(probability), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    return bounded


def _directed(probability: Floats, calibration: Calibration) -> Floats:
    from scipy.special import expit

    directed: Floats = expit(calibration.direction * _log_odds(probability))
    return directed


def of_sums(population: Population, sums: list[Sum], calibration: Calibration) -> Edges:
    """The edges to each merge from its parents."""
    parent = np.array([p for one in sums for p in one.parents], dtype=np.int64)
    child = np.array([one.child for one in sums for _ in one.parents], dtype=np.int64)
    score = np.array([one.blend.confidence for one in sums for _ in one.parents])
    confidence = np.array([calibration.confidence(KINDS[MERGE], value, {}) for value in score])
    squared = judged.squared_distances(population, parent, child)
    evidence = {
        "cosine": 1 - squared / 2,
        "score": score,
        "merge.coefficient": np.array([c for one in sums for c in one.blend.coefficients]),
        "merge.residual": np.array([one.blend.residual for one in sums for _ in one.parents]),
    }
    kind = np.full(len(parent), MERGE, dtype=np.int8)
    return Edges(parent, child, kind, confidence, np.maximum(confidence, 0.5), np.sqrt(squared), evidence)


def of_copies(keeper: Ints, calibration: Calibration) -> Edges:
    """The edges to copies from the first of their content, ``keeper``; nothing tells which of them was there first."""
    child = np.flatnonzero(keeper != np.arange(len(keeper)))
    direction = np.full(len(child), calibration.directed(0.5))
    confidence = calibration.confidence(KINDS[DUPLICATE], 1.0, {}) * direction
    evidence = {"cosine": np.ones(len(child)), "identical": np.ones(len(child)), "score": np.ones(len(child))}
    kind = np.full(len(child), DUPLICATE, dtype=np.int8)
    return Edges(keeper[child], child, kind, confidence, direction, np.zeros(len(child)), evidence)


def joined(parts: list[Edges]) -> Edges:
    """One after the other."""
    names = list(dict.fromkeys(name for part in parts for name in part.evidence))
    evidence = {
        name: np.concatenate([part.evidence.get(name, np.full(len(part), np.nan)) for part in parts]) for name in names
    }
    plain = {name: np.concatenate([getattr(part, name) for part in parts]) for name in PLAIN}
    return replace(parts[0], evidence=evidence, **plain)
