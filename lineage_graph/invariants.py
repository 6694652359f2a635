"""Which models could be one another's copies in other units or another layout: what no order and no scale changes.

A sketch does not survive a reordering of hidden units, but moments of a matrix do, and so do the upper quantiles of its
values, each over its unit's root-mean-square, whatever the units' scale. Both are compared in units of their sampling
error: separate trainings of one recipe lie about one apart, copies far below. Not every matrix is invariant (inputs may
be scaled, too), so the nearest matrix decides whether two models are alike at all, and the geometric mean over all of
them ranks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage_graph.types import FloatArray, Model, TensorFingerprint

Numbers = npt.NDArray[np.floating[Any]] | npt.NDArray[np.integer[Any]]

MOST_APART = 0.7
"""Distance of the nearest matrices from which two models are strangers: of small zoos of one recipe, half lie above."""

NEARLY_EQUAL = 0.1
"""Distance below which no separate trainings were met in 456 pairs of five recipes (the nearest: 0.14)."""

LEAST_ELEMENTS = 256
"""Smaller matrices have too wide an error."""

LEAST = 1e-3
"""Distances below are rounding, and must not outweigh the others."""


@dataclass(frozen=True, slots=True)
class AlikeSettings:
    """``neighbours``: partners proposed for each model; ``nearly_equal``: for one that has so near ones. ``matrices``:
    the largest matrices that are looked up; ``reach``: neighbours looked up for each. ``exact_below``: population from
    which faiss searches approximately.
    """

    neighbours: int = 2
    nearly_equal: int = 6
    matrices: int = 6
    reach: int = 8
    exact_below: int = 20_000


def alike(models: Sequence[Model], known: set[tuple[int, int]], settings: AlikeSettings) -> Iterator[tuple[int, int]]:
    """Pairs (i, j), i < j, that are not ``known`` and more alike than strangers are, by what is invariant.

    Models of one signature, tensor by tensor in the order of names; and models whose matrices have the same sizes in
    other shapes, by moments alone, in the order of sizes and norms.
    """
    described = [_matrices(model) for model in models]
    same: dict[object, list[int]] = defaultdict(list)
    sizes: dict[object, list[int]] = defaultdict(list)
    for index, tensors in enumerate(described):
        if tensors:
            same[tuple(tensor.spec.shape for tensor in tensors)].append(index)
            sizes[tuple(sorted(tensor.spec.size for tensor in tensors))].append(index)
    for members in same.values():
        views = [np.stack([view(described[i]) for i in members]) for view in (_moments, _shapes)]
        yield from _pairs(members, views, described[members[0]], known, settings)
    for members in sizes.values():
        if len({models[i].fingerprint.signature for i in members}) > 1:
            ordered = [sorted(described[i], key=lambda tensor: (tensor.spec.size, tensor.norm)) for i in members]
            views = [np.stack([_moments(tensors) for tensors in ordered])]
            yield from _pairs(members, views, ordered[0], known, settings)


def nearest(a: Model, b: Model) -> list[tuple[TensorFingerprint, TensorFingerprint]]:
    """The matrices of ``a`` with those of ``b`` in their places, the nearest first; none where the shapes differ."""
    one, other = _matrices(a), _matrices(b)
    if [tensor.spec.shape for tensor in one] != [tensor.spec.shape for tensor in other] or not one:
        return []
    apart = np.min([np.abs(view(one) - view(other)).mean(axis=1) for view in (_moments, _shapes)], axis=0)
    return [(one[place], other[place]) for place in np.argsort(apart, kind="stable")]


def _matrices(model: Model) -> list[TensorFingerprint]:
    return [t for t in model.fingerprint.backbone if t.is_matrix and t.profile.size and t.spec.size >= LEAST_ELEMENTS]


def _moments(tensors: Sequence[TensorFingerprint]) -> FloatArray:
    numbers = [[getattr(tensor, name) for tensor in tensors] for name in ("norm", "mean", "kurtosis")]
    return moments(np.array([tensor.spec.size for tensor in tensors]), *(np.array(values) for values in numbers))


def moments(sizes: Numbers, norms: Numbers, means: Numbers, kurtoses: Numbers) -> FloatArray:
    """Ln of the root-mean-square, mean over it, ln of the kurtosis, in sampling errors: shape (…, 3) for numbers of
    shape (…), of which ``sizes`` may lack the first ones.
    """
    roots = np.sqrt(sizes)
    scale = np.maximum(norms / roots, 1e-30)
    found = np.stack([np.log(scale), means / scale, np.log1p(kurtoses)], axis=-1) * roots[..., None]
    return found.astype(np.float32)


def _shapes(tensors: Sequence[TensorFingerprint]) -> FloatArray:
    """Ln of the upper quantiles over their mean, which small weights set to zero do not change; (tensors, 8)."""
    upper = np.stack([tensor.profile[tensor.profile.size // 2 :] for tensor in tensors]) + 1e-6
    roots = np.sqrt([tensor.spec.size for tensor in tensors])
    shapes: FloatArray = (np.log(upper / upper.mean(axis=1, keepdims=True)) * roots[:, None]).astype(np.float32)
    return shapes


def _pairs(
    members: Sequence[int],
    views: Sequence[FloatArray],
    tensors: Sequence[TensorFingerprint],
    known: set[tuple[int, int]],
    settings: AlikeSettings,
) -> Iterator[tuple[int, int]]:
    """Of each member the nearest; ``views``: shape (members, tensors, d)."""
    largest = sorted(range(len(tensors)), key=lambda place: (-tensors[place].spec.size, place))[: settings.matrices]
    found: dict[int, set[int]] = defaultdict(set)
    for view in views:
        for place in largest:
            for row, column in _neighbours(view[:, place], settings):
                found[row].add(column)
                found[column].add(row)
    for row, columns in sorted(found.items()):
        others = np.array(sorted(columns))
        apart = np.stack([np.abs(view[others] - view[row]).mean(axis=2) for view in views]).min(axis=0)
        nearest = apart.min(axis=1)
        ranks = np.log(np.maximum(apart, LEAST)).mean(axis=1)
        taken = 0
        for position in np.argsort(ranks, kind="stable"):
            most = settings.nearly_equal if nearest[position] < NEARLY_EQUAL else settings.neighbours
            i, j = sorted((members[row], members[int(others[position])]))
            if nearest[position] < MOST_APART and taken < most and (i, j) not in known:
                taken += 1
                yield i, j


def _neighbours(vectors: npt.NDArray[np.float32], settings: AlikeSettings) -> Iterator[tuple[int, int]]:
    """(row, neighbour) by Euclidean distance, shape (n, d)."""
    import faiss

    count, dimension = vectors.shape
    if count < 2:
        return
    index = faiss.IndexFlatL2(dimension) if count < settings.exact_below else faiss.IndexHNSWFlat(dimension, 32)
    vectors = np.ascontiguousarray(vectors)
    index.add(vectors)
    _, neighbours = index.search(vectors, min(settings.reach + 1, count))
    for row in range(count):
        for column in neighbours[row]:
            if column >= 0 and column != row:
                yield row, int(column)
