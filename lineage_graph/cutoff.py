"""The step that trimming leaves: a child follows the large elements of a parent's update, and not the smaller ones.

TIES keeps the largest elements of each fine-tune's update and drops the rest (Yadav et al., "TIES-Merging", NeurIPS
2023, Sec. 4). With y the child's difference from the base and u a parent's, the slope of y on u among elements of like
size |u| then jumps up at the share that was dropped, in every matrix. Training the merge further adds to y, but nothing
that knows this size, so that the step stays where the values have long ceased to recur. Siblings, descendants and sums
of whole updates follow u smoothly.

Models are lists of samples, one a matrix, of equal shapes (n,). Elements that are zero in one of the three models are
left out: pruning cuts by size, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lineage_graph.types import FloatArray

Numbers = npt.NDArray[np.float64]
Samples = Sequence[FloatArray]
Order = npt.NDArray[np.intp]

BINS = 40
"""Of the elements of a matrix by the size of the update, equally many in each."""

WINDOW = 4
"""Bins on either side that a step is seen in."""

FIRST, LAST = 14, 34
"""Bins before which steps are looked for: from 35 to 85 % dropped. Beyond, the slopes of any fine-tunes are steep."""

LEAST_RISE = 0.3
"""Of the slope above the step, what the step is at least."""

LOWEST, HIGHEST = -0.2, 1.5
"""Slopes below and above a step that a sum of updates can have."""

LEAST_ELEMENTS = 10 * BINS
"""Of a matrix, for slopes to be told in it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A step at one place for several parents: ``place`` is that of a bin, ``z`` by parent, the largest first."""

    place: int
    z: Mapping[int, float]

    @property
    def strength(self) -> float:
        """Standard deviations of the second parent's step: a merge has two."""
        return sorted(self.z.values())[-2] if len(self.z) > 1 else 0.0


def by_size(base: Samples, parent: Samples) -> list[Order]:
    """The elements of each matrix by the size of the parent's update."""
    return [np.argsort(np.abs(p - b)) for b, p in zip(base, parent, strict=True)]


def steps(child: Samples, base: Samples, parent: Samples, orders: Sequence[Order] | None = None) -> Numbers | None:
    """How clearly the child follows the parent's update of the base by a step before each bin from ``FIRST`` to
    ``LAST``, in standard deviations; 0 where it is none of a merge. ``None`` where there is too little to see.
    ``orders``: as :func:`by_size` gives them for these two, if they are known.
    """
    orders = by_size(base, parent) if orders is None else orders
    sums = [_binned(*one) for one in zip(child, base, parent, orders, strict=True)]
    square, product, left, count = np.moveaxis(np.stack(sums), 1, 0) if sums else np.zeros((4, 0, BINS))
    told = count.all(axis=1) & (square > 0).all(axis=1)
    if not told.any():
        return None
    square, product, left, count = (one[told] for one in (square, product, left, count))
    left = np.maximum(left - product**2 / square, 0.0)
    at = np.arange(FIRST - WINDOW, LAST + WINDOW + 1)
    below, above = (_slopes(square, product, left, count, at + shift) for shift in (-WINDOW, 0))
    each = above[0] - below[0]  # (matrices, places)
    weight = 1 / np.maximum(above[1] + below[1], 1e-12)
    total = weight.sum(axis=0)
    step, low, high = ((weight * one).sum(axis=0) / total for one in (each, below[0], above[0]))
    # Matrices may differ by more than their elements say.
    varied = (weight**2 * (each - step) ** 2).sum(axis=0) / total**2 * len(each) / max(len(each) - 1, 1)
    # A bend in the slopes goes on beyond one place; a step does not.
    here, bent = slice(WINDOW, -WINDOW), np.maximum(step[: -2 * WINDOW], step[2 * WINDOW :])
    z = (step[here] - np.maximum(bent, 0.0)) / np.sqrt(np.maximum(1 / total, varied)[here])
    merged = (step > LEAST_RISE * high) & (high < HIGHEST) & (low > LOWEST)
    return np.where(merged[here], z, 0.0)


def best(found: Mapping[int, Numbers]) -> Cut:
    """Where the second largest of all parents' steps is largest. ``found``: two parents or more."""
    z = np.stack(list(found.values()))
    place = int(np.sort(z, axis=0)[-2].argmax())
    there = dict(zip(found, z[:, place].tolist(), strict=True))
    return Cut(place + FIRST, dict(sorted(there.items(), key=lambda one: (-one[1], one[0]))))


def trimmed(base: Samples, parent: Samples, place: int) -> list[Numbers]:
    """The parent's update of the base, without the elements below the step."""
    kept = []
    for b, p in zip(base, parent, strict=True):
        alive = (b != 0) & (p != 0) & (p != b)
        update = (p.astype(np.float64) - b) * alive
        update[alive] *= _ranks(update[alive]) >= place
        kept.append(update)
    return kept


def unexplained(child: Samples, base: Samples, kept: Sequence[Sequence[Numbers]]) -> float:
    """‖y - Σ‖² over the best sum of what was ``kept`` of the parents' updates, shape (n,) each, one a matrix.

    Signs are elected, and who agrees is averaged, so an update counts otherwise where it is alone with the elected
    sign, where others have it, too, and where it has lost.
    """
    own = np.concatenate([c.astype(np.float64) - b for c, b in zip(child, base, strict=True)])
    each = np.stack([np.concatenate(list(one)) for one in kept])
    agree = np.sign(each) == np.sign(each.sum(axis=0))
    agree &= each != 0
    several = agree.sum(axis=0) > 1
    columns = [
        column
        for one, with_all in zip(each, agree, strict=True)
        for column in (one * (with_all & ~several), one * (with_all & several), one * ~with_all)
        if column.any()
    ]
    stacked = np.stack(columns, axis=1)
    found = np.linalg.lstsq(stacked.T @ stacked, stacked.T @ own, rcond=None)[0]
    return float(np.sum((own - stacked @ found) ** 2))


def _binned(child: FloatArray, base: FloatArray, parent: FloatArray, order: Order) -> Numbers:
    """By size of the parent's update, Σu², Σuy, Σy² and how many, shape (4, ``BINS``), in units of the mean u²."""
    moved, own = (parent - base)[order], (child - base)[order]
    alive = moved != 0
    if not (child.all() and base.all() and parent.all()):
        alive &= ((child != 0) & (base != 0) & (parent != 0))[order]
    if not alive.all():
        moved, own = moved[alive], own[alive]
    if moved.size < LEAST_ELEMENTS:
        return np.zeros((4, BINS))
    moved, own = moved.astype(np.float64), own.astype(np.float64)
    unit = np.mean(moved**2)
    starts, counts = _bins(moved.size)
    sums = [np.add.reduceat(one, starts) / unit for one in (moved**2, moved * own, own**2)]
    return np.stack([*sums, counts])


@lru_cache(maxsize=256)
def _bins(size: int) -> tuple[Order, Order]:
    """Where each bin of so many elements starts, and how many it has."""
    starts = -(np.arange(BINS) * -size // BINS)
    return starts, np.diff(starts, append=size)


def _ranks(update: Numbers) -> npt.NDArray[np.int64]:
    """The bin of each element by its size."""
    rank = np.empty(update.size, dtype=np.int64)
    rank[np.argsort(np.abs(update))] = np.arange(update.size) * BINS // max(update.size, 1)
    return rank


def _slopes(
    square: Numbers, product: Numbers, left: Numbers, count: Numbers, start: npt.NDArray[np.int64]
) -> tuple[Numbers, Numbers]:
    """Slopes over ``WINDOW`` bins from each ``start``, or what is left of these, and their variances, both of shape
    (matrices, places).
    """
    end = np.minimum(start + WINDOW, BINS)
    inside = [np.cumsum(one, axis=1) for one in (square, product, left, count)]
    squares, products, lefts, counts = (one[:, end - 1] - one[:, start - 1] for one in inside)
    return products / squares, lefts / counts / squares
