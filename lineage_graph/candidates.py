"""Which pairs are worth reading the weights for: nearest neighbours of sketches, by faiss.

Two indexes propose. Models of one shape signature are compared whole: by the sketch of their weights and, where there
are any, by their linearized features, side by side in one vector. Across signatures (a
transplanted backbone, another head, extra layers) the largest weight matrices of each shape are compared one by one,
and each hit votes for its two models with its share of the smaller backbone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage_graph.alignment import backbone
from lineage_graph.sketch import WIDE
from lineage_graph.types import CandidatePair, FloatArray, Model


@dataclass(frozen=True, slots=True)
class CandidateSettings:
    """``neighbours``: partners proposed for each model by each index. ``least_similarity``: cosine of sketches below
    which a pair is not worth reading: sketches of strangers spread around 0 with a standard deviation of 0.044 for
    whole models, 0.125 for single matrices. ``feature_share``: of the features in the similarity of whole models;
    alone they find fewer true parents than sketches do. ``matrices``: the largest matrices of a model that vote.
    ``exact_below``: population from which faiss searches approximately (HNSW) instead of exactly.
    """

    neighbours: int = 12
    least_similarity: float = 0.12
    feature_share: float = 0.25
    least_matrix_similarity: float = 0.4
    matrices: int = 24
    exact_below: int = 20_000
    hnsw_links: int = 32
    hnsw_search: int = 64


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
    pairs = [_pair(models[i], models[j], similarity) for (i, j), similarity in best.items()]
    digest = {model.id: model.fingerprint.digest for model in models}
    return tuple(sorted(pairs, key=lambda p: (-p.similarity, digest[p.a], digest[p.b])))


def _pair(first: Model, second: Model, similarity: float) -> CandidatePair:
    a, b = sorted((first, second), key=lambda model: model.fingerprint.digest)
    return CandidatePair(a.id, b.id, similarity)


def _whole(models: Sequence[Model], settings: CandidateSettings) -> Iterable[tuple[int, int, float]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, model in enumerate(models):
        if np.any(model.fingerprint.sketch):
            groups[model.fingerprint.signature].append(index)
    for members in groups.values():
        vectors = _vectors([models[i] for i in members], settings.feature_share)
        for row, column, _ in nearest(vectors, settings):
            one, two = models[members[row]].fingerprint, models[members[column]].fingerprint
            # Strangers that do the same task are alike in function space: features rank, weights decide.
            similarity = float(one.sketch @ two.sketch)
            if similarity >= settings.least_similarity:
                yield members[row], members[column], similarity


def _vectors(models: Sequence[Model], share: float) -> FloatArray:
    """Unit vectors of one signature's models, shape (models, 2 · ``sketch.WIDE``): weights, then features."""
    groups = {model.features.group for model in models if model.features is not None} - {""}
    vectors = np.zeros((len(models), 2 * WIDE), dtype=np.float32)
    for vector, model in zip(vectors, models, strict=True):
        vector[:WIDE] = model.fingerprint.sketch
        # Features of different inputs cannot be compared.
        if len(groups) == 1 and model.features is not None and model.features.group:
            vector[:WIDE] *= math.sqrt(1 - share)
            vector[WIDE:] = math.sqrt(share) * model.features.sketch
    return vectors


def _by_matrix(models: Sequence[Model], settings: CandidateSettings) -> Iterable[tuple[int, int, float]]:
    owners: dict[tuple[int, ...], list[int]] = defaultdict(list)
    sketches: dict[tuple[int, ...], list[FloatArray]] = defaultdict(list)
    elements: list[int] = []
    for index, model in enumerate(models):
        matrices = [tensor for tensor in backbone(model.fingerprint) if tensor.is_matrix]
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
