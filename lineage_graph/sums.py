"""Which of its relatives one model is a weighted sum of, if of any, and how surely.

**What speaks for a merge.** Updates of different runs are nearly orthogonal, so squared distances inside a family add
up along a tree. In a tree even the base of k fine-tunes lies near their mean, and siblings explain what they share: a
small residual alone says nothing. But the residual that a tree allows is known. Seen from the child, the inner products
of the differences to its relatives (Gromov products) are the lengths of the ways that they share; in a tree they are
not negative, and of any three the two smallest are equal. The best affine combination is then a unit flow through a net
of resistors (Thomson's principle), and its residual the effective resistance. A merge lies *between* its parents:
products are negative, and the residual falls below that of the nearest tree. Their ratio, the ``slack``, is about 1 for
whatever grew as a tree and 0 for an exact merge.

The one other thing that lies between two models is a snapshot between the one before and the one after, as far as the
steps of a run keep their direction. Two parents that may be states of one run are therefore held to a smaller slack
than three and more, or two that branch off from a third model, none of which can be before and after one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lineage_graph import blending
from lineage_graph.blending import Mix
from lineage_graph.claims import Claim, Group, Matrices
from lineage_graph.kinship import Blend
from lineage_graph.types import FloatArray

STILL = 1e-6
"""Share of what the most moved matrix moved below which one tells nothing of the coefficients."""

RIGHT_ANGLE = 0.2
"""Cosine up to which updates of different runs are taken for orthogonal."""

BRANCHING = 0.4
"""The same where siblings learn a part alike: for two states of one run it is 0.57 and more wherever the slack is so
small that it matters (eight runs, recipe snapshots, seeds 100 to 103), for parents of tuned merges 0.31 and less."""

ARC_GAIN = 0.1
"""Of the line's residual, what is left at most where two parents' blend lies on an arc."""

HOPELESS = 0.6
"""Slack from which it does not matter whether two parents branch off from a third model."""

BEYOND_GAIN = 0.1
"""Of the slack inside the hull, what a blend beyond it may have at most."""


@dataclass(frozen=True, slots=True)
class BlendSettings:
    """``shortlist``: relatives that a model is held against, the nearest by sketch. ``least_similarity``: cosine of
    model sketches below which two models are strangers, however few there are. ``freedom``: coordinates that there are
    at least for each relative, so that none is fitted by chance. ``skips``: descendants that may lie nearer than all
    parents. ``bases``: of the nearest, those that task arithmetic may start from.

    ``pair_slack``, ``group_slack``: where confidence is ½, for two that may be of one run, and for others. Of 204
    models of four grown zoos without merges (recipes digits and generations, seeds 100 and 101) none has a slack below
    0.7; of snapshots every 5 to 30 steps of eight runs none has one below 0.16, always with two parents; two merges
    that were trained further (recipe merges, seed 100) have 0.10 and 0.13. ``steepness``: of the odds, as a power of
    the slack.
    """

    shortlist: int = 96
    least_similarity: float = 0.12
    freedom: int = 4
    skips: int = 3
    bases: int = 12
    pair_slack: float = 0.14
    group_slack: float = 0.42
    steepness: float = 6.0
    least_confidence: float = 0.5


@dataclass(frozen=True, slots=True)
class _Spread:
    """``each``: the coefficients of every matrix by itself, shape (matrices, parents). ``weights``: of the matrices, by
    how far they moved, with sum 1. ``arc``: the child lies on an arc between two.
    """

    mix: Mix
    each: Matrices
    weights: Matrices
    arc: bool = False


def claim_of(group: Group, child: int, relatives: Sequence[int], settings: BlendSettings) -> Claim | None:
    """Which of its ``relatives`` the child is a blend of, if of any; all by their numbers in the group."""
    differences = group.rows[list(relatives)].astype(np.float64) - group.rows[child]
    scale = np.sqrt(np.mean(differences**2, axis=(0, 2))) if len(relatives) > 1 else np.zeros(0)
    if not np.any(scale > 0):
        return None
    scaled = differences[:, scale > 0] / scale[scale > 0, None]
    order = np.argsort(np.sum(scaled**2, axis=(1, 2)), kind="stable")
    flat = scaled[order].reshape(len(scaled), -1)
    gram = flat @ flat.T / flat.shape[1]
    inside = blending.inside(gram, settings.skips)
    arc = None
    if inside is not None and len(inside.members) == 2 and inside.slack > blending.EXACT:
        ends = [relatives[order[member]] for member in inside.members]
        arc = _on_arcs(group.rows[[child, *ends]][:, scale > 0], scale[scale > 0], inside)
    mix = arc.mix if arc is not None else _best(gram, inside, settings)
    confidence = _confidence(gram, mix, settings) if mix is not None else 0.0
    if mix is None or confidence < settings.least_confidence:
        return None
    chosen = order[list(mix.members)]
    parents = tuple(relatives[index] for index in chosen)
    grams = np.einsum("itn,jtn->tij", scaled[chosen], scaled[chosen]) / flat.shape[1]
    spread = arc if arc is not None else _matrix_by_matrix(grams, mix)
    return Claim(child, parents, mix, scale, _blend(group, child, parents, grams.sum(axis=0), spread, confidence))


def _best(gram: Matrices, inside: Mix | None, settings: BlendSettings) -> Mix | None:
    """A blend beyond the hull takes more freedom: it has to be much better than one inside."""
    if inside is None or _confidence(gram, inside, settings) < settings.least_confidence:
        return blending.outside(gram, settings.bases)
    outside = blending.outside(gram, settings.bases) if inside.slack > blending.EXACT else None
    return outside if outside is not None and outside.slack < BEYOND_GAIN * inside.slack else inside


def _confidence(gram: Matrices, mix: Mix, settings: BlendSettings) -> float:
    several = mix.base is None and (len(mix.members) > 2 or (mix.slack < HOPELESS and _branches(gram, mix.members)))
    limit = settings.group_slack if several else settings.pair_slack
    return float(1 / (1 + (mix.slack / limit) ** settings.steepness))


def _branches(gram: Matrices, members: Sequence[int]) -> bool:
    """Do the ways to two models leave a third one at right angles? Those to two states of one run go the same way from
    whatever lies outside it, and opposite ways from between the two.
    """
    others = (other for other in range(len(gram)) if other not in members)
    return any(abs(blending.spread(gram, other, members)) < BRANCHING for other in others)


def _blend(
    group: Group, child: int, parents: tuple[int, ...], gram: Matrices, spread: _Spread, confidence: float
) -> Blend:
    """The record of a claim. ``gram``: scaled, of the parents' differences to the child."""
    coefficients = np.array(spread.mix.coefficients)
    deviations = spread.each - coefficients
    method = "slerp" if spread.arc else "task-arithmetic" if _has_base(gram, spread.mix) else "linear"
    return Blend(
        child=group.ids[child],
        method=method,
        parents=tuple(group.ids[parent] for parent in parents),
        coefficients=tuple(coefficients.tolist()),
        uncertainties=tuple(np.sqrt(spread.weights @ deviations**2).tolist()),
        residual=min(spread.mix.residual / float(np.diag(gram).min()), 1.0),
        confidence=confidence,
        base=group.ids[parents[spread.mix.members.index(spread.mix.base)]] if spread.mix.base is not None else "",
    )


def _matrix_by_matrix(grams: Matrices, mix: Mix) -> _Spread:
    """The fit of every matrix by itself. ``grams``: scaled, shape (matrices, parents, parents)."""
    moved = np.trace(grams, axis1=1, axis2=2)
    each = np.tile(np.array(mix.coefficients), (len(grams), 1))
    for number in np.flatnonzero(moved > STILL * moved.max()):
        if mix.base is None:
            each[number] = blending.affine(grams[number])
        else:
            each[number] = blending.based(grams[number], mix.members.index(mix.base))
    return _Spread(mix, each, moved / moved.sum())


def _has_base(gram: Matrices, mix: Mix) -> bool:
    """Is one of the parents that of all the others, by their geometry: do they leave it at right angles?"""
    members = range(len(gram))
    return mix.base is not None or (
        len(gram) > 2
        and min(blending.spread(gram, base, [i for i in members if i != base]) for base in members) < RIGHT_ANGLE
    )


def _on_arcs(rows: FloatArray, scale: Matrices, line: Mix) -> _Spread | None:
    """Does the child lie on the arc between two parents rather than on the ``line``? Then its coefficients add up to
    more than 1 (Shoemake, "Animating rotation with quaternion curves", 1985), and the plane of the two holds it.

    ``rows``: child and parents as they are, shape (3, matrices, ``NARROW``).
    """
    child, *ends = rows.astype(np.float64)
    plane = np.stack(ends, axis=2)
    each = (np.linalg.pinv(plane) @ child[:, :, None])[:, :, 0]
    misfit = float(np.mean((((plane @ each[:, :, None])[:, :, 0] - child) / scale[:, None]) ** 2))
    moved = np.sum(((ends[0] - ends[1]) / scale[:, None]) ** 2, axis=1)
    weights = moved / moved.sum()
    if misfit > ARC_GAIN * line.residual or weights @ each.sum(axis=1) <= 1:
        return None
    coefficients = tuple((weights @ each).tolist())
    slack = line.slack * misfit / line.residual
    return _Spread(Mix(line.members, coefficients, misfit, slack), each, weights, arc=True)
