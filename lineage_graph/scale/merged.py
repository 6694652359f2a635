"""Which models are sums of others: :mod:`lineage_graph.merges`, with a look over all models beforehand.

A model's nearest neighbours explain it by a sum no better than a tree would, unless it is a merge. For all models at
once the two residuals come without the demand that coefficients be positive, which is cheap; who stands out is then
looked at closely. The sketch of a whole model takes the place of the sketches of its matrices, scaled back by its norm:
exact as far as all its matrices keep their share of the norm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lineage_graph.claims import Group, settled
from lineage_graph.kinship import Blend
from lineage_graph.scale.population import Floats, Ints
from lineage_graph.sums import BlendSettings, claim_of
from lineage_graph.types import FloatArray

STANDS_OUT = 0.4
"""Residual over that of a tree below which a model is looked at closely; a merge is drawn from 0.35 on."""

LINEAR = BlendSettings(bases=0)
"""Sums with coefficients of at least 0 alone: task arithmetic takes too long to look for."""

LEAST_OBTUSE = 0.2
"""Cosine below 0 of the angle at a merge between two of its parents: of six even ones. Sketches err by 0.04."""

CHUNK = 1 << 11
"""Models looked at together: their neighbours' sketches are 64 MiB."""

FAR = 1e6
"""Squared length, in units of the nearest, of a neighbour that is not there."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A model that is a weighted sum of others; numbers within the population."""

    child: int
    parents: tuple[int, ...]
    blend: Blend


def suspects(points: FloatArray, neighbours: Ints) -> Iterator[int]:
    """Models that no tree explains, with or without some of the nearest, which may descend from it.

    ``points``: sketches scaled by norms, shape (models, d). ``neighbours``: the nearest first, -1 where there are
    fewer.
    """
    eligible = np.flatnonzero((neighbours >= 0).sum(axis=1) >= 2)
    for start in range(0, len(eligible), CHUNK):
        rows = eligible[start : start + CHUNK]
        gram = _grams(points, rows, neighbours[rows])
        lengths = np.sqrt(np.diagonal(gram, axis1=1, axis2=2))
        between = (gram < -LEAST_OBTUSE * lengths[:, :, None] * lengths[:, None, :]).any(axis=(1, 2))
        rows, gram = rows[between], gram[between]
        slack = np.full(len(rows), np.inf)
        for skipped in range(min(LINEAR.skips + 1, neighbours.shape[1] - 1)):
            part = gram[:, skipped:, skipped:]
            some = (neighbours[rows, skipped + 1] >= 0) & np.isfinite(part).all(axis=(1, 2))
            ratio = np.full(len(rows), np.inf)
            ratio[some] = _resistances(part[some]) / np.maximum(_resistances(_trees(part[some])), 1e-300)
            slack = np.minimum(slack, ratio)
        yield from rows[slack < STANDS_OUT].tolist()


def _grams(points: FloatArray, rows: Ints, neighbours: Ints) -> Floats:
    """Inner products of the differences from each model to its neighbours, in units of the nearest; (rows, k, k)."""
    differences = points[np.maximum(neighbours, 0)] - points[rows][:, None, :]
    gram = (differences @ differences.transpose(0, 2, 1)).astype(np.float64)
    missing = neighbours < 0
    gram[missing[:, :, None] | missing[:, None, :]] = 0.0
    nearest = np.maximum(gram[:, 0, 0], 1e-30)
    gram /= nearest[:, None, None]
    diagonal = np.arange(gram.shape[1])
    gram[:, diagonal, diagonal] = np.where(missing, FAR, gram[:, diagonal, diagonal] * (1 + 1e-9) + 1e-12)
    return gram


def _resistances(grams: Floats) -> Floats:
    """The least ‖Σ a·x‖² under Σ a = 1, for each of the matrices: 1/(1ᵀ G⁻¹ 1)."""
    ones = np.ones((*grams.shape[:2], 1))
    resistance: Floats = 1 / np.maximum(np.linalg.solve(grams, ones).sum(axis=(1, 2)), 1e-300)
    return resistance


def _trees(grams: Floats) -> Floats:
    """The nearest larger products that a tree allows, see :func:`lineage_graph.blending.tree_residual`."""
    diagonal = np.arange(grams.shape[1])
    lengths = grams[:, diagonal, diagonal]
    tree = np.maximum(grams, 0.0)
    for middle in diagonal:
        tree = np.maximum(tree, np.minimum(tree[:, :, middle, None], tree[:, middle, None, :]))
    tree = np.minimum(tree, np.minimum(lengths[:, :, None], lengths[:, None, :]))
    tree[:, diagonal, diagonal] = lengths * (1 + 1e-9)
    return tree


def sums(points: FloatArray, neighbours: Ints, family: Ints, numbers: Ints) -> Iterator[Sum]:
    """The models of one signature that are sums of others. ``family``: of each; ``numbers``: theirs in the population.

    Relatives are looked for among the neighbours alone.
    """
    by_family: dict[int, list[int]] = defaultdict(list)
    for row in suspects(points, neighbours):
        by_family[int(family[row])].append(row)
    for one, chosen in sorted(by_family.items()):
        members = np.flatnonzero(family == one)
        place = {int(row): number for number, row in enumerate(members)}
        ids = tuple(str(number) for number in numbers[members])
        group = Group(ids, points[members][:, None, :], points.shape[1])
        claims = []
        for child in chosen:
            relatives = [place[row] for row in neighbours[child].tolist() if row in place]
            claim = claim_of(group, place[child], relatives, LINEAR) if len(relatives) > 1 else None
            claims += [claim] if claim is not None else []
        for claim in settled(group, claims):
            yield Sum(int(claim.blend.child), tuple(int(parent) for parent in claim.blend.parents), claim.blend)
