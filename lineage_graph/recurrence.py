"""A child's difference from a base, element by element: which elements are exactly those of which parents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from lineage_graph.types import FloatArray

LARGEST_FACTOR = 3.0
TOLERANCE = 1e-3
"""Relative, of an element's difference: rounding to float32 is far smaller, coincidence that much."""

LEAST_SHARE = 0.05
"""Of the changed elements, what a parent explains at least: strangers explain one or two in a hundred."""

VERSION = 0.95
"""Share from which a single model explains so much that it is no parent, but another version of the child."""

MISSED = 0.03
"""Share of the elements that a parent alone explains; who explains less is left out."""

LARGEST_SET = 6


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What was found. ``members``: indices of the relatives, the base first; ``coefficients`` (with sum 1),
    ``uncertainties``, ``residual`` as in :class:`~lineage_graph.kinship.Blend`. ``explained``: share of the changed
    elements that are exactly the parents', 0 to 1.
    """

    members: tuple[int, ...]
    coefficients: tuple[float, ...]
    uncertainties: tuple[float, ...]
    residual: float
    explained: float


def kept(child: Sequence[FloatArray], base: Sequence[FloatArray]) -> float:
    """Share of equal values, in matrices that differ; zeros of the child, which pruning makes, left out."""
    equal = [(a == b)[a != 0] for a, b in zip(child, base, strict=True) if not np.array_equal(a, b)]
    return float(np.mean(np.concatenate(equal))) if equal else 1.0


@dataclass(frozen=True, slots=True)
class _Updates:
    """Differences from the base where the child has changed: its own, shape (n,), and the parents', by index.

    ``matrix``: of each element, which matrix it is from. ``factor``: of each parent, the number it is multiplied by,
    and ``share``, how often.
    """

    child: npt.NDArray[np.float64]
    parents: dict[int, npt.NDArray[np.float64]]
    matrix: npt.NDArray[np.int64]
    factor: dict[int, float]
    share: dict[int, float]

    def explained(self, members: Sequence[int]) -> float:
        """Share of the elements that are one member's update, or the sum or the mean of several members'."""
        hit = np.zeros(self.child.size, dtype=bool)
        for count in range(1, len(members) + 1):
            for chosen in combinations(members, count):
                total = sum(self.factor[i] * self.parents[i] for i in chosen)
                for value in (total, total / count):
                    hit |= np.abs(self.child - value) <= TOLERANCE * np.abs(self.child)
        return float(hit.mean())


def from_base(child: Sequence[FloatArray], relatives: Sequence[Sequence[FloatArray]], base: int) -> Trimmed | None:
    """What explains the child as updates of ``base``, if two relatives or more do. Each model is a list of samples, one
    a matrix, of equal shapes (n,); ``base``: an index into ``relatives``.
    """
    updates = _updates(child, relatives, base)
    partial = [index for index, share in updates.share.items() if share < VERSION]
    members = sorted(partial, key=lambda index: -updates.share[index])[:LARGEST_SET]
    if len(members) < 2:
        return None
    whole = updates.explained(members)
    while len(members) > 2:
        shares = {i: updates.explained([other for other in members if other != i]) for i in members}
        least = max(members, key=lambda i: shares[i])
        if shares[least] < whole - MISSED:
            break
        members.remove(least)
    alone = [whole - updates.explained([other for other in members if other != i]) for i in members]
    if min(alone) < MISSED:
        return None
    return _measured(updates, members, base)


def _updates(child: Sequence[FloatArray], relatives: Sequence[Sequence[FloatArray]], base: int) -> _Updates:
    """The elements that changed, with the relatives whose updates recur in them."""
    one, origin = (np.concatenate(pieces).astype(np.float64) for pieces in (child, relatives[base]))
    changed = (one != origin) & (one != 0)
    matrix = np.repeat(np.arange(len(child)), [piece.size for piece in child])[changed]
    own = (one - origin)[changed]
    parents, factor, often = {}, {}, {}
    for index, pieces in enumerate(relatives):
        if index == base or own.size == 0:
            continue
        update = (np.concatenate(pieces).astype(np.float64) - origin)[changed]
        number, share = _recurring(own, update)
        if share >= LEAST_SHARE:
            parents[index], factor[index], often[index] = update, number, share
    return _Updates(own, parents, matrix, factor, often)


def _recurring(own: npt.NDArray[np.float64], update: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The number by which most elements of ``own`` are multiples of ``update``, and the share of these elements."""
    ratio = own / np.where(update == 0, np.inf, update)
    inside = ratio[(ratio > TOLERANCE) & (ratio < LARGEST_FACTOR)]
    if inside.size == 0:
        return 0.0, 0.0
    bins, counts = np.unique(np.round(inside / TOLERANCE), return_counts=True)
    mode = float(bins[np.argmax(counts)]) * TOLERANCE
    number = float(np.median(inside[np.abs(inside - mode) <= TOLERANCE]))
    return number, float(np.mean(np.abs(ratio - number) <= TOLERANCE * number))


def _measured(updates: _Updates, members: Sequence[int], base: int) -> Trimmed:
    """Least squares over the changed elements."""
    columns = np.stack([updates.parents[i] for i in members], axis=1)
    fit = fitted(updates.child, columns, updates.matrix, columns)
    return Trimmed((base, *members), *fit, updates.explained(members))


def fitted(
    child: npt.NDArray[np.float64],
    columns: npt.NDArray[np.float64],
    matrix: npt.NDArray[np.int64],
    parents: npt.NDArray[np.float64],
) -> tuple[tuple[float, ...], tuple[float, ...], float]:
    """``coefficients``, the base's first, ``uncertainties`` and ``residual`` of a :class:`Trimmed`.

    ``child``: its difference from the base, shape (n,); ``columns``: what it is a sum of, shape (n, parents);
    ``matrix``: of each element, which matrix it is from; ``parents``: their whole differences from the base.
    """
    whole = np.linalg.lstsq(columns, child, rcond=None)[0]
    left = float(np.sum((child - columns @ whole) ** 2))
    nearest = min(float(np.sum((child - one) ** 2)) for one in (np.zeros(len(child)), *parents.T))
    each = []
    for number in np.unique(matrix):
        rows = matrix == number
        if np.count_nonzero(rows) > columns.shape[1]:
            each.append(np.linalg.lstsq(columns[rows], child[rows], rcond=None)[0])
    deviations = np.stack([*each, whole]) - whole
    coefficients = (1 - float(whole.sum()), *whole.tolist())
    spread = tuple(float(np.sqrt(np.mean(one**2))) for one in (deviations.sum(axis=1), *deviations.T))
    return coefficients, spread, min(left / nearest, 1.0) if nearest > 0 else 1.0
