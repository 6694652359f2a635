"""The nearest relatives of each model among those of its shape signature, by faiss.

Exact search up to a size; above it an inverted file (Jégou, Douze & Schmid, "Product quantization for nearest neighbor
search", 2011, of whole vectors) whose number of probed cells is doubled until a sample of the models finds what exact
search finds for them.

A model's list may be full of nearer relatives: of a far child of a big family, of its own children. Whoever is so shut
in is asked again, without its own part of the family: see :func:`beyond`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lineage_graph.scale.population import Floats, Ints
from lineage_graph.types import FloatArray


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """``neighbours``: of each model, looked up. ``least_similarity``: cosine of sketches from which two models are
    worth judging, beyond what the sketches of strangers reach by luck (their standard deviation is 0.044; among 20,000
    there is one beyond 0.2 for every tenth model). ``exact_below``: models of one signature up to which search is
    exact. ``recall``: share of the ``tuned_for`` nearest, those of a ``relevant`` similarity, that approximate search
    must find for a ``sample`` of the models. ``cells`` of the inverted file in units of √models, and models of each for
    its ``training``. ``spokesmen``: of each part of a family that is shut in, the models that are asked again.
    ``shortlist``: neighbours among which the parents of a merge are looked for.
    """

    neighbours: int = 16
    least_similarity: float = 0.2
    exact_below: int = 16384
    recall: float = 0.995
    tuned_for: int = 4
    relevant: float = 0.25
    sample: int = 512
    cells: float = 2.0
    training: int = 64
    spokesmen: int = 2
    shortlist: int = 16


@dataclass(frozen=True, slots=True)
class Near:
    """Pairs (i < j), each once, with their ``similarity``. ``neighbours``: of each model the numbers of the nearest,
    shape (models, k), -1 where there are fewer that are alike.
    """

    i: Ints
    j: Ints
    similarity: Floats
    neighbours: Ints


ASKED = 1 << 10
"""Models whose similarities to all others are held at a time."""


EXACT = 8
"""One in so many cells takes as long to look through as exact search takes for all, which multiplies matrices: more are
never probed."""


class Searcher:
    """An index over the unit ``vectors`` of one signature, shape (models, d). ``probed``: cells that are looked at for
    each model; 0 where search is exact.
    """

    def __init__(self, vectors: FloatArray, settings: SearchSettings) -> None:
        self.vectors, self._settings = vectors, settings
        self.probed = 0
        self._index: Any = None
        if len(vectors) >= settings.exact_below:
            self._index = _inverted(vectors, settings)
            self.probed = self._tuned()

    def nearest(self, rows: Ints, count: int) -> tuple[FloatArray, Ints]:
        """Similarities and numbers of the nearest, both of shape (rows, count), the model itself among them; -1 where
        there are fewer.
        """
        count = min(count, len(self.vectors))
        if self._index is None:
            return _exact(self.vectors[rows], self.vectors, count)
        similarities, found = self._index.search(self.vectors[rows], count)
        return similarities, found

    def outside(self, rows: Ints, part: Ints) -> tuple[Ints, Floats]:
        """The nearest to each model that is of another ``part``, and its similarity; -1 where there is none."""
        if self._index is None:
            return self._outside_exactly(rows, part)
        import faiss

        found, similarity = np.full(len(rows), -1), np.full(len(rows), -1.0)
        members = np.argsort(part, kind="stable")
        starts = np.searchsorted(part[members], np.arange(part.max() + 2))
        for own in np.unique(part[rows]):
            asked = np.flatnonzero(part[rows] == own)
            others = faiss.IDSelectorNot(faiss.IDSelectorBatch(members[starts[own] : starts[own + 1]]))
            limits = faiss.SearchParametersIVF(sel=others, nprobe=self.probed)  # type: ignore[call-arg]
            values, numbers = self._index.search(self.vectors[rows[asked]], 1, params=limits)
            found[asked], similarity[asked] = numbers[:, 0], values[:, 0]
        return found, similarity

    def _outside_exactly(self, rows: Ints, part: Ints) -> tuple[Ints, Floats]:
        found, similarity = np.full(len(rows), -1), np.full(len(rows), -1.0)
        for start in range(0, len(rows), ASKED):
            some = rows[start : start + ASKED]
            values = self.vectors[some] @ self.vectors.T
            values[part[some][:, None] == part] = -1.0
            best = np.argmax(values, axis=1)
            found[start : start + ASKED] = best
            similarity[start : start + ASKED] = values[np.arange(len(some)), best]
        return found, similarity

    @property
    def cells(self) -> int:
        """Cells of the inverted file; 0 where search is exact."""
        return int(self._index.nlist) if self._index is not None else 0

    def _tuned(self) -> int:
        """The number of probed cells that finds enough of what exact search finds."""
        settings = self._settings
        rows = np.linspace(0, len(self.vectors) - 1, min(settings.sample, len(self.vectors))).astype(np.int64)
        exact = _exact(self.vectors[rows], self.vectors, settings.neighbours + 1)
        self._index.nprobe = 4
        most = max(self._index.nlist // EXACT, 4)
        while self._index.nprobe < most:
            found = self._index.search(self.vectors[rows], settings.neighbours + 1)[1]
            if recall(rows, exact, found, settings.tuned_for, settings.relevant) >= settings.recall:
                break
            self._index.nprobe = min(2 * self._index.nprobe, most)
        return int(self._index.nprobe)


def recall(rows: Ints, exact: tuple[FloatArray, Ints], found: Ints, count: int, least: float) -> float:
    """Share of the ``count`` nearest of each of ``rows``, those from a similarity of ``least`` on, that are ``found``.

    ``exact``: what exact search found for them, the nearest first, the models themselves among them.
    """
    similarities, true = exact
    other = true != rows[:, None]
    wanted = other & (np.cumsum(other, axis=1) <= count) & (similarities >= least)
    hits = (true[:, :, None] == found[:, None, :]).any(axis=2)
    return float((hits & wanted).sum() / max(int(wanted.sum()), 1))


def _exact(queries: FloatArray, vectors: FloatArray, count: int) -> tuple[FloatArray, Ints]:
    import faiss

    similarities, found = faiss.knn(queries, vectors, count, metric=faiss.METRIC_INNER_PRODUCT)
    return similarities, found


def _inverted(vectors: FloatArray, settings: SearchSettings) -> Any:
    import faiss

    count, dimension = vectors.shape
    cells = int(settings.cells * count**0.5)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dimension), dimension, cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.max_points_per_centroid = settings.training
    index.cp.niter = 6
    index.train(vectors)
    index.add(vectors)
    return index


def near(searcher: Searcher, settings: SearchSettings) -> Near:
    """Every model with its nearest."""
    count = len(searcher.vectors)
    similarities, found = searcher.nearest(np.arange(count), settings.neighbours + 1)
    alike = (found >= 0) & (found != np.arange(count)[:, None]) & (similarities >= settings.least_similarity)
    rows, places = np.nonzero(alike)
    i, j, similarity = once(rows, found[rows, places], similarities[rows, places].astype(np.float64), count)
    neighbours = np.where(alike, found, -1)
    # The model itself is one of those found, most often the first: it makes room for one more.
    order = np.argsort(neighbours < 0, axis=1, kind="stable")[:, : settings.neighbours]
    return Near(i, j, similarity, np.take_along_axis(neighbours, order, axis=1))


def once(a: Ints, b: Ints, values: Floats, count: int) -> tuple[Ints, Ints, Floats]:
    """Pairs of numbers below ``count`` as (smaller, larger), each once, in order."""
    keys, first = np.unique(np.minimum(a, b) * count + np.maximum(a, b), return_index=True)
    return keys // count, keys % count, values[first]


def beyond(searcher: Searcher, neighbours: Ints, part: Ints, settings: SearchSettings) -> tuple[Ints, Ints]:
    """For the parts of families that are shut in: pairs of their spokesmen with the nearest outside.

    ``part``: of each model. A model is shut in where all its neighbours are of its own part. Spokesmen are those that
    most models have among their neighbours: what a far child is to its own children.
    """
    own = neighbours >= 0
    shut_in = own.all(axis=1) & (part[neighbours] == part[:, None]).all(axis=1)
    if not shut_in.any() or len(np.unique(part)) < 2:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing
    liked = np.bincount(neighbours[own], minlength=len(part))
    rows = np.flatnonzero(shut_in)
    order = np.lexsort((rows, -liked[rows], part[rows]))
    rows = rows[order]
    rank = np.arange(len(rows)) - np.searchsorted(part[rows], part[rows])
    asked = rows[rank < settings.spokesmen]
    found, similarity = searcher.outside(asked, part)
    alike = (found >= 0) & (similarity >= settings.least_similarity)
    return asked[alike], found[alike]
