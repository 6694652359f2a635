"""One child and its candidates as the detector's inputs: two-channel images and a few numbers, free of scale.

The paper's channels are the parent and the child. Here they are the difference, in units of the smallest difference
that any candidate has in that layer, and the child in units of its own size: a fixed change of basis, in which a true
parent looks alike whatever the layer's scale and however far the child drifted. What is absolute in it travels beside
the image, as :data:`SCALARS`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lineage_graph.detector.portrait import Portrait, Thumbnail
from lineage_graph.types import FloatArray

WEIGHTS, FEATURES = 0, 1
"""Kinds of layers."""

SCALARS = (
    "drift",
    "excess",
    "growth",
    "tailing",
    "alignment",
    "beyond",
    "between",
    "nearest beyond",
    "farthest beyond",
)
"""Numbers beside an image, for candidate p, child c, and all q that are other candidates:

drift ln(s / rms(c)), where s is the smallest rms(p - c) over the candidates; excess ln(rms(p - c) / s); growth
ln(rms(c) / rms(p)); tailing, the same of kurtosis; alignment cos(p, c). The last four are about g = (c|q)_p / ‖c - p‖²,
where (c|q)_p is the Gromov product ½(‖c - p‖² + ‖q - p‖² - ‖c - q‖²): in a tree of independent updates g is 0 where p
lies on the way from c to q, 1 where c lies on the way from p to q, and between where the way to q branches off between
p and c, as it does where the true parent is missing. Its mean and the mean of 4g(1 - g), both weighted by 1 / ‖q - p‖²,
its minimum and its maximum; 0 where there is no other candidate.
"""

SCHEMA = 2
"""Raise it when inputs change: answers are kept."""

SIDE = 16
"""Most rows, and most columns, of an image: every so many of the layer's. The scalars are of the whole layer."""
FLOOR = 1e-4
"""Smallest s / rms(c): below it lies rounding."""
LARGEST = 6.0
"""Bound on every scalar."""
MODERATE = 1e15
"""Values from which a layer is left out: their squares, added up, would soon be beyond float32."""
_ZOOM = 10.0
"""Of growth and tailing, which are small."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a question as it is: ``child`` (h, w), ``parents`` (candidates, h, w).

    ``present`` (candidates,): who has this layer; rows of the others are 0. ``growth`` and ``tailing`` (candidates,):
    ln of the child's rms and kurtosis over the candidate's, of the whole tensor.
    """

    kind: int
    depth: float
    child: FloatArray
    parents: FloatArray
    present: npt.NDArray[np.bool_]
    growth: FloatArray
    tailing: FloatArray


@dataclass(frozen=True, slots=True)
class Plane:
    """The same for the network: ``images`` (candidates, 2, at most ``SIDE``, at most ``SIDE``),
    ``scalars`` (candidates, ``len(SCALARS)``).
    """

    kind: int
    depth: float
    images: FloatArray
    scalars: FloatArray
    present: npt.NDArray[np.bool_]


def gather(child: Portrait, candidates: Sequence[Portrait]) -> list[Layer]:
    """The layers that the child shares, by name and shape, with at least one candidate."""
    found = []
    for kind, own, theirs in (
        (WEIGHTS, child.weights, [one.weights for one in candidates]),
        (FEATURES, child.features, [one.features for one in candidates]),
    ):
        tables = [{(t.name, t.shape): t for t in thumbnails if _moderate(t)} for thumbnails in theirs]
        for thumbnail in own:
            partners = [table.get((thumbnail.name, thumbnail.shape)) for table in tables]
            if any(partners) and np.any(thumbnail.values) and _moderate(thumbnail):
                found.append(_layer(kind, thumbnail, partners))
    return found


def _moderate(thumbnail: Thumbnail) -> bool:
    """Can its values be squared? Features of integers that are kept as weights may be as good as infinite."""
    largest = float(np.abs(thumbnail.values).max(initial=0.0))
    return largest < MODERATE and math.isfinite(thumbnail.rms) and math.isfinite(thumbnail.kurtosis)


def _layer(kind: int, child: Thumbnail, partners: Sequence[Thumbnail | None]) -> Layer:
    nothing = np.zeros_like(child.values)
    return Layer(
        kind=kind,
        depth=child.depth,
        child=child.values,
        parents=np.stack([nothing if one is None else one.values for one in partners]),
        present=np.array([one is not None for one in partners]),
        growth=_log_ratio(child.rms, [child.rms if one is None else one.rms for one in partners]),
        tailing=_log_ratio(child.kurtosis, [child.kurtosis if one is None else one.kurtosis for one in partners]),
    )


def _log_ratio(value: float, others: Sequence[float]) -> FloatArray:
    ratios: FloatArray = np.log((value + _TINY) / (np.array(others) + _TINY)).astype(np.float32)
    return ratios


def plane(layer: Layer) -> Plane:
    """The layer free of scale. Equal, but for the order, for candidates in another order."""
    there = layer.present
    own = float(np.sqrt(np.mean(layer.child**2))) + _TINY
    differences: FloatArray = np.where(there[:, None, None], layer.parents - layer.child, np.float32(0))
    sizes = np.sqrt(np.mean(differences**2, axis=(1, 2)))
    smallest = max(float(sizes[there].min()), FLOOR * own)
    rows, columns = (slice(None, None, math.ceil(side / SIDE)) for side in layer.child.shape)
    shown = layer.child[rows, columns]
    images = np.empty((len(there), 2, *shown.shape), dtype=np.float32)
    images[:, 0] = _slog(differences[:, rows, columns] / np.float32(smallest))
    images[:, 1] = _slog(shown / np.float32(own))
    lengths = np.sqrt(np.mean(layer.parents**2, axis=(1, 2))) + _TINY
    scalars = np.column_stack(
        [
            np.full(len(there), np.log(smallest / own)),
            np.log(np.maximum(sizes, smallest) / smallest),
            _ZOOM * layer.growth,
            _ZOOM * layer.tailing,
            np.mean(layer.parents * layer.child, axis=(1, 2)) / (lengths * own),
            *_gromov(differences.reshape(len(there), -1), there),
        ]
    )
    bounded = np.clip(scalars, -LARGEST, LARGEST).astype(np.float32)
    return Plane(layer.kind, layer.depth, images, np.where(there[:, None], bounded, 0), there)


def _slog(values: FloatArray) -> FloatArray:
    small: FloatArray = np.sign(values) * np.log1p(np.abs(values))
    return small


def _gromov(differences: FloatArray, there: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.float64]]:
    """See :data:`SCALARS`; from candidates minus child, (candidates, elements)."""
    gram = (differences @ differences.T).astype(np.float64)
    squares = np.diag(gram)
    apart = np.maximum(squares[:, None] + squares - 2 * gram, 0)
    other = there[:, None] & there & ~np.eye(len(there), dtype=bool)
    share = np.clip(1 - gram / np.maximum(squares, _TINY)[:, None], -0.5, 1.5)
    weight = np.where(other, 1 / (apart + squares[:, None] + _TINY), 0)
    total = np.maximum(weight.sum(axis=1), _TINY)
    alone = ~other.any(axis=1)
    return [
        (weight * share).sum(axis=1) / total,
        (weight * 4 * share * (1 - share)).sum(axis=1) / total,
        np.where(alone, 0, np.where(other, share, np.inf).min(axis=1)),
        np.where(alone, 0, np.where(other, share, -np.inf).max(axis=1)),
    ]
