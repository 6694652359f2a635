"""One point as a weighted sum of others, from inner products alone, held against what a tree would allow.

All functions take ``gram``, shape (k, k): the inner products of the differences p_i - c between k models and a child c,
which are its Gromov products, (‖p_i - c‖² + ‖p_j - c‖² - ‖p_i - p_j‖²) / 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatMatrix = npt.NDArray[np.float64]

RIDGE = 1e-12
"""Added to the diagonal, relative to its largest: copies among the models leave the fit well posed."""

EXACT = 1e-5
"""Slack below which the sum is as good as exact: what is smaller is the rounding of float32 weights and sketches."""

LEAST_COEFFICIENT = 0.02

MOST_MEMBERS = 16
"""Members that pruning starts from, those of the largest coefficients."""

HOPELESS = 0.8
"""Slack from which no pruning is tried: it lowers the slack by a little, never by an order."""

LARGEST_TASK = 1.05
"""Coefficient of a fine-tune in task arithmetic: none is taken more than once, so that p = (c - b) / λ + … is none."""

LARGEST_ANGLE_COSINE = 0.5
"""Between two fine-tunes seen from the base that they are added to, where the sum is not exact."""


@dataclass(frozen=True, slots=True)
class Mix:
    """``members``: indices into the gram matrix; ``coefficients`` add up to 1. ``residual``: ‖c - Σ‖² in the unit of
    the matrix. ``slack``: the residual over that of the nearest tree, 0 (a sum) to 1 (a tree). ``base``: the member
    that task arithmetic starts from, where its coefficient is negative.
    """

    members: tuple[int, ...]
    coefficients: tuple[float, ...]
    residual: float
    slack: float
    base: int | None = None


def affine(gram: FloatMatrix) -> FloatMatrix:
    """The coefficients ≥ 0 with sum 1 whose sum comes nearest to the child, shape (k,).

    min ‖X a‖² under Σ a = 1 has the solution of min ‖X b‖² + (1 - Σ b)², up to scale: non-negative least squares
    (Lawson & Hanson, "Solving Least Squares Problems", 1974, ch. 23).
    """
    from scipy.optimize import nnls

    rows = np.vstack([_root(gram), np.ones(len(gram))])
    target = np.zeros(len(rows))
    target[-1] = 1.0
    found = nnls(rows, target)[0]
    coefficients: FloatMatrix = found / found.sum()
    return coefficients


def based(gram: FloatMatrix, base: int) -> FloatMatrix:
    """As :func:`affine`, but with a coefficient of any sign for ``base``: base + Σ λ_i (p_i - base), λ_i ≥ 0."""
    from scipy.optimize import nnls

    root = _root(gram)
    tasks = root - root[:, [base]]
    coefficients: FloatMatrix = nnls(tasks, -root[:, base])[0]
    coefficients[base] = 0.0
    coefficients[base] = 1.0 - coefficients.sum()
    return coefficients


def _root(gram: FloatMatrix) -> FloatMatrix:
    """R, upper triangular, with RᵀR = ``gram``, scaled to a mean diagonal of 1."""
    scaled = gram / max(float(np.trace(gram)) / len(gram), 1e-300)
    # Models that are all equal to the child leave nothing to scale by.
    scaled[np.diag_indices(len(gram))] += RIDGE * (float(scaled.max()) or 1.0)
    root: FloatMatrix = np.linalg.cholesky(scaled, upper=True).astype(np.float64, copy=False)
    return root


def tree_residual(gram: FloatMatrix) -> float:
    """The residual of the best sum if the models were leaves of a tree: that of the nearest larger products with
    g_ij ≥ 0 and g_ik ≥ min(g_ij, g_jk) (the four-point condition; Buneman, 1971).
    """
    diagonal = np.diag(gram)
    tree = np.maximum(gram, 0.0)
    for middle in range(len(tree)):
        tree = np.maximum(tree, np.minimum.outer(tree[:, middle], tree[middle]))
    tree = np.minimum(tree, np.minimum.outer(diagonal, diagonal))
    np.fill_diagonal(tree, diagonal)
    return _residual(tree, affine(tree))


def _slack(gram: FloatMatrix, residual: float) -> float:
    """1 where a tree leaves nothing, as of a child that is equal to one of the models."""
    of_tree = tree_residual(gram)
    return residual / of_tree if of_tree > 0 else 1.0


def _residual(gram: FloatMatrix, coefficients: npt.NDArray[Any]) -> float:
    return max(float(coefficients @ gram @ coefficients), 0.0)


def between(gram: FloatMatrix, members: Sequence[int]) -> Mix:
    """The best sum of ``members`` (two or more) inside their hull."""
    part = gram[np.ix_(members, members)]
    coefficients = affine(part)
    residual = _residual(part, coefficients)
    return Mix(tuple(members), tuple(coefficients.tolist()), residual, _slack(part, residual))


def beyond(gram: FloatMatrix, members: Sequence[int], base: int) -> Mix:
    """The best sum of ``members`` with a coefficient of any sign for ``base``, one of them."""
    part = gram[np.ix_(members, members)]
    coefficients = based(part, list(members).index(base))
    residual = _residual(part, coefficients)
    return Mix(tuple(members), tuple(coefficients.tolist()), residual, _slack(part, residual), base)


def prune(gram: FloatMatrix, mix: Mix) -> Mix:
    """Leave out, one by one, whoever is not missed: the smallest set that explains as much as the whole."""
    while len(mix.members) > 2 + (mix.base is not None):
        smaller = []
        for member in mix.members:
            rest = [other for other in mix.members if other != member]
            if mix.base is None:
                smaller.append(between(gram, rest))
            elif member != mix.base:
                smaller.append(beyond(gram, rest, mix.base))
        best = min(smaller, key=lambda one: one.slack)
        if best.slack > max(EXACT, min(3 * mix.slack, 1.5 * mix.slack + 0.03)):
            break
        mix = best
    return mix


def _supported(members: Sequence[int], coefficients: FloatMatrix) -> list[int]:
    order = np.argsort(-coefficients, kind="stable")[:MOST_MEMBERS]
    return sorted(members[i] for i in order if coefficients[i] >= LEAST_COEFFICIENT)


def least_slack(gram: FloatMatrix, skips: int) -> float:
    """The slack inside the hull of all models, which come in the order of their distance, or of those that are left
    without the nearest, up to ``skips`` of them, where it is less: 0 (a sum) to 1 (a tree).
    """
    parts = [gram[skipped:, skipped:] for skipped in range(min(skips + 1, len(gram) - 1))]
    # Distances ascend, so that the first one tells whether any model is equal.
    apart = [part for part in parts if part[0, 0] > 0]
    return min((_slack(part, _residual(part, affine(part))) for part in apart), default=1.0)


def inside(gram: FloatMatrix, skips: int) -> Mix | None:
    """The blend of least slack inside the hull of the models, which come in the order of their distance.

    Models that descend from the child lie nearest and would carry all the weight, so that up to ``skips`` of the
    nearest are left out in turn.
    """
    best: Mix | None = None
    for skipped in range(min(skips + 1, len(gram) - 1)):
        members = range(skipped, len(gram))
        support = _supported(members, affine(gram[skipped:, skipped:]))
        if len(support) < 2:
            continue
        mix = between(gram, support)
        if mix.slack > HOPELESS:
            continue
        mix = prune(gram, mix)
        if best is None or mix.slack < 0.8 * best.slack - EXACT:
            best = mix
    return best


def outside(gram: FloatMatrix, bases: int) -> Mix | None:
    """The best blend that starts from one of the nearest ``bases`` models and adds fine-tunes of it up to a sum beyond
    1, which no hull holds: of exact ones that of the fewest members, seen from whose base they are least alike; else
    that of least slack.
    """
    best: tuple[tuple[float, ...], Mix] | None = None
    for base in range(min(bases, len(gram))):
        coefficients = based(gram, base)
        if coefficients[base] > -LEAST_COEFFICIENT:
            continue
        tasks = coefficients.copy()
        tasks[base] = 0.0
        support = _supported(range(len(gram)), tasks)
        if len(support) < 2:
            continue
        mix = beyond(gram, sorted([*support, base]), base)
        if mix.slack > HOPELESS:
            continue
        mix = prune(gram, mix)
        alike = spread(gram, base, [i for i in mix.members if i != base])
        exact = mix.slack <= EXACT
        if _moderate(mix, base) and (exact or alike <= LARGEST_ANGLE_COSINE):
            rank = (0.0, len(mix.members), alike) if exact else (1.0, mix.slack)
            best = min((rank, mix), best or (rank, mix), key=lambda one: one[0])
    return best[1] if best is not None else None


def _moderate(mix: Mix, base: int) -> bool:
    """Task arithmetic adds several fine-tunes of one base, each at most once."""
    sizes = dict(zip(mix.members, mix.coefficients, strict=True))
    tasks = all(LEAST_COEFFICIENT <= size <= LARGEST_TASK for member, size in sizes.items() if member != base)
    return tasks and sizes[base] < -LEAST_COEFFICIENT


def spread(gram: FloatMatrix, base: int, tasks: Sequence[int]) -> float:
    """The largest cosine between two of ``tasks`` as seen from ``base``, -1 to 1."""
    seen = gram - gram[:, [base]] - gram[[base], :] + gram[base, base]
    inner = seen[np.ix_(tasks, tasks)]
    lengths = np.sqrt(np.maximum(np.diag(inner), 1e-300))
    cosines = inner / np.outer(lengths, lengths)
    return float(np.max(cosines[np.triu_indices(len(tasks), 1)], initial=-1.0))
