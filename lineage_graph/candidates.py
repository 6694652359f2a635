"""Which pairs are worth reading the weights for: nearest neighbours of sketches, by faiss.

Three indexes propose. Models of one shape signature are compared whole: by the sketch of their weights and, where there
are any, by the sketches of their features; a product of these distances ranks, so that no scale has to be weighed
against another. Across signatures (a transplanted backbone, another head, extra layers) the largest weight matrices of
each shape are compared one by one, and each hit votes for its two models with its share of the smaller backbone. Models
whose units were reordered or rescaled, or that were laid out anew, meet in neither; see ``invariants``. Nor do those
from which units were taken out; see ``narrowed``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage_graph.invariants import AlikeSettings, alike
from lineage_graph.narrowed import narrower
from lineage_graph.types import CandidatePair, FloatArray, Model

LEAST_SQUARED_DISTANCE = 1e-6
"""Of unit vectors in float32: what is smaller is rounding, and must not outweigh the other distances."""


@dataclass(frozen=True, slots=True)
class CandidateSettings:
    """``neighbours``: partners proposed for each model by each index. ``least_similarity``: cosine of sketches below
    which a pair is not worth reading: sketches of strangers spread around 0 with a standard deviation of 0.044 for
    whole models, 0.125 for single matrices. ``reach``: of each kind of distance so many times ``neighbours`` are looked
    up, and ranked together. ``matrices``: the largest matrices of a model that vote. ``exact_below``: population from
    which faiss searches approximately (HNSW) instead of exactly. ``alike``: partners proposed for each model beside
    these, by what reordering and rescaling leave as it is; ``wider``: by shapes that it could have been cut from. 0 for
    none.
    """

    neighbours: int = 12
    least_similarity: float = 0.12
    reach: int = 2
    least_matrix_similarity: float = 0.4
    matrices: int = 24
    exact_below: int = 20_000
    hnsw_links: int = 32
    hnsw_search: int = 64
    alike: int = 2
    wider: int = 3


def propose(models: Sequence[Model], settings: CandidateSettings | None = None) -> tuple[CandidatePair, ...]:
    """Undirected candidate pairs, best first; ``a`` and ``b`` in order of the models' digests.

    Models whose digests are equal must have been folded into one before.
    """
    settings = settings or CandidateSettings()
    best: dict[tuple[int, int], float] = {}
    for i, j, similarity in [*_whole(models, settings), *_by_matrix(models, settings)]:
        if i != j:
            key = (min(i, j), max(i, j))
            best[key] = max(similarity, best.get(key, -1.0))
    invariant: set[tuple[int, int]] = set()
    if settings.alike:
        invariant = set(alike(models, set(best), AlikeSettings(settings.alike, exact_below=settings.exact_below)))
        best |= dict.fromkeys(invariant, 0.0)
    if settings.wider:
        best |= dict.fromkeys(narrower(models, set(best), settings.wider), 0.0)
    pairs = [_pair(models[i], models[j], similarity, (i, j) in invariant) for (i, j), similarity in best.items()]
    digest = {model.id: model.fingerprint.digest for model in models}
    return tuple(sorted(pairs, key=lambda p: (-p.similarity, digest[p.a], digest[p.b])))


def shortlists(models: Sequence[Model], settings: CandidateSettings | None = None) -> dict[str, list[str]]:
    """By model, the ids of its nearest among those of its shape signature, the nearest first; strangers left out."""
    found: dict[str, list[str]] = {model.id: [] for model in models}
    for row, column, _ in _whole(models, settings or CandidateSettings()):
        found[models[row].id].append(models[column].id)
    return found


def _pair(first: Model, second: Model, similarity: float, invariant: bool) -> CandidatePair:
    a, b = sorted((first, second), key=lambda model: model.fingerprint.digest)
    return CandidatePair(a.id, b.id, similarity, invariant)


def _whole(models: Sequence[Model], settings: CandidateSettings) -> Iterable[tuple[int, int, float]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, model in enumerate(models):
        if np.any(model.fingerprint.sketch):
            groups[model.fingerprint.signature].append(index)
    for members in groups.values():
        for row, column in _near(members, models, settings):
            # Strangers that do the same task are alike in function space: features rank, weights decide.
            similarity = float(models[row].fingerprint.sketch @ models[column].fingerprint.sketch)
            if similarity >= settings.least_similarity:
                yield row, column, similarity


def _near(members: Sequence[int], models: Sequence[Model], settings: CandidateSettings) -> Iterable[tuple[int, int]]:
    """Neighbours among ``members``, by weights and features; by weights alone where not all have the same features."""
    alike: dict[str, list[int]] = defaultdict(list)
    for index in members:
        features = models[index].features
        alike[features.group if features is not None else ""].append(index)
    if len(alike) > 1 or "" in alike:
        yield from _ranked(members, [(1.0, _stacked(models[i].fingerprint.sketch for i in members))], settings)
    for group, owners in alike.items():
        if group:
            held = [found for i in owners if (found := models[i].features) is not None]
            # Weights, as they are and linearized, have one half of the say; what they compute has the other.
            views = [
                (0.25, _stacked(models[i].fingerprint.sketch for i in owners)),
                (0.25, _stacked(one.anchored for one in held)),
                (0.5, _stacked(one.plain for one in held)),
            ]
            yield from _ranked(owners, views, settings)


def _stacked(sketches: Iterable[FloatArray]) -> FloatArray:
    return np.stack(list(sketches))


def _ranked(
    members: Sequence[int], views: Sequence[tuple[float, FloatArray]], settings: CandidateSettings
) -> Iterable[tuple[int, int]]:
    """Each member's nearest by the weighted geometric mean of its distances in all ``views``.

    A view: its weight, and unit vectors of shape (members, d).
    """
    wide = replace(settings, neighbours=settings.neighbours * settings.reach)
    found: dict[int, set[int]] = defaultdict(set)
    for _, view in views:
        for row, column, _ in nearest(view, wide):
            found[row].add(column)
    for row, columns in found.items():
        others = np.array(sorted(columns))
        distance = np.zeros(len(others))
        for weight, view in views:
            squared = np.sum((view[others] - view[row]) ** 2, axis=1)
            distance += weight * np.log(np.maximum(squared, LEAST_SQUARED_DISTANCE))
        for position in np.argsort(distance, kind="stable")[: settings.neighbours]:
            yield members[row], members[int(others[position])]


def _by_matrix(models: Sequence[Model], settings: CandidateSettings) -> Iterable[tuple[int, int, float]]:
    owners: dict[tuple[int, ...], list[int]] = defaultdict(list)
    sketches: dict[tuple[int, ...], list[FloatArray]] = defaultdict(list)
    elements: list[int] = []
    for index, model in enumerate(models):
        matrices = [tensor for tensor in model.fingerprint.backbone if tensor.is_matrix]
        elements.append(sum(tensor.spec.size for tensor in matrices))
        matrices.sort(key=lambda tensor: (-tensor.spec.size, tensor.hash))
        for tensor in matrices[: settings.matrices]:
            owners[tensor.spec.shape].append(index)
            sketches[tensor.spec.shape].append(tensor.sketch)
    votes = _votes(models, owners, sketches, elements, settings)
    partners: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for (i, j), share in votes.items():
        partners[i].append((share, j))
        partners[j].append((share, i))
    for i, ranked in partners.items():
        for share, j in sorted(ranked, key=lambda item: (-item[0], models[item[1]].fingerprint.digest))[
            : settings.neighbours
        ]:
            yield i, j, min(share, 1.0)


def _votes(
    models: Sequence[Model],
    owners: dict[tuple[int, ...], list[int]],
    sketches: dict[tuple[int, ...], list[FloatArray]],
    elements: list[int],
    settings: CandidateSettings,
) -> dict[tuple[int, int], float]:
    """(i, j) of different signatures → Σ over agreeing matrices of cosine · share of the smaller backbone."""
    votes: dict[tuple[int, int], float] = defaultdict(float)
    for shape, rows in owners.items():
        if len({models[i].fingerprint.signature for i in rows}) < 2:
            continue
        vectors = np.stack(sketches[shape])
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
        best: dict[tuple[int, int], float] = {}
        for row, column, similarity in nearest(vectors, settings):
            i, j = sorted((rows[row], rows[column]))
            strangers_in_shape = models[i].fingerprint.signature != models[j].fingerprint.signature
            if strangers_in_shape and similarity >= settings.least_matrix_similarity:
                best[i, j] = max(similarity, best.get((i, j), 0.0))
        for (i, j), similarity in best.items():
            votes[i, j] += similarity * float(np.prod(shape)) / min(elements[i], elements[j])
    return votes


def nearest(vectors: npt.NDArray[np.float32], settings: CandidateSettings) -> Iterable[tuple[int, int, float]]:
    """(row, neighbour, inner product) for the nearest neighbours of each row of ``vectors``, shape (n, d).

    Exact below ``settings.exact_below`` rows, HNSW (Malkov & Yashunin, 2018) above.
    """
    import faiss

    count, dimension = vectors.shape
    if count < 2:
        return
    index: Any
    if count < settings.exact_below:
        index = faiss.IndexFlatIP(dimension)
    else:
        index = faiss.IndexHNSWFlat(dimension, settings.hnsw_links, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efSearch = settings.hnsw_search
    index.add(vectors)
    similarities, neighbours = index.search(vectors, min(settings.neighbours + 1, count))
    for row in range(count):
        for similarity, column in zip(similarities[row], neighbours[row], strict=True):
            if column >= 0 and column != row:
                yield row, int(column), float(similarity)
