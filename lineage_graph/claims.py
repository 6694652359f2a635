"""Which of many supposed sums of models hold beside one another: in an exact one, every parent is a sum of the rest.

Where a family has several merges, all of them lie in the few dimensions of its fine-tunes, and each is an exact sum of
many of the others. The true sums take few parents, and close no circle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lineage_graph import blending
from lineage_graph.blending import Mix
from lineage_graph.kinship import Blend, ancestors
from lineage_graph.types import FloatArray

Matrices = npt.NDArray[np.float64]

SAME_PLACE = 0.9
"""Share of the squared distance between two blends that is the residual of one, if it was fine-tuned from the other:
two blends of their own lie apart by their coefficients, too.
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Models of one signature. ``rows``: their sketched matrices, shape (models, matrices, buckets).

    ``freedom``: coordinates of a row that are not zero for want of elements.
    """

    ids: tuple[str, ...]
    rows: FloatArray
    freedom: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A blend with what is needed to hold it against the others. ``scale``: of each matrix, shape (matrices,)."""

    child: int
    parents: tuple[int, ...]
    mix: Mix
    scale: Matrices
    blend: Blend

    @property
    def exact(self) -> bool:
        """Is the sum as good as exact? Among such, residuals are rounding, and fewer parents explain more."""
        return self.mix.slack <= blending.EXACT


def fewer(one: Claim, other: Claim) -> bool:
    """Has one fewer parents than the other?"""
    return len(one.parents) < len(other.parents)


def settled(group: Group, claims: Sequence[Claim]) -> list[Claim]:
    """The claims that hold beside one another, in the order of the children: exact ones of few parents come first, and
    nobody descends from itself.
    """
    bases = Counter(
        claim.parents[claim.mix.members.index(claim.mix.base)] for claim in claims if claim.mix.base is not None
    )
    kept: list[Claim] = []
    for claim in sorted(claims, key=_rank):
        if any(_descends(group, claim, other) or _mirrors(group, claim, other, bases) for other in kept):
            continue
        others = [other for other in kept if not _mirrors(group, other, claim, bases)]
        if claim.child not in ancestors(claim.parents, {other.child: other.parents for other in others}):
            kept = [*others, claim]
    return sorted(kept, key=lambda one: one.child)


def _rank(claim: Claim) -> tuple[bool, int, float, int]:
    return (not claim.exact, len(claim.parents) if claim.exact else 0, claim.mix.residual, claim.child)


def _descends(group: Group, claim: Claim, other: Claim) -> bool:
    """Is the claim's child the other one's, fine-tuned? What is left of it is then what lies between the two."""
    if len(set(claim.parents) & set(other.parents)) < 2:
        return False
    return claim.mix.residual > SAME_PLACE * _squared_distance(group, claim, claim.child, other.child)


def _mirrors(group: Group, claim: Claim, other: Claim, bases: Mapping[int, int]) -> bool:
    """Do the two tell the same sum the other way round, and is the claim's child the likelier parent?

    If m = p + q - b, then p = m + b - q, and b = p + q - m. Whoever needs more parents is; else who is the base of more
    other sums (``bases``); else who is nearer to the rest of the family: the merge lies farther out.
    """
    if claim.child not in other.parents or other.child not in claim.parents:
        return False
    if claim.exact and other.exact and len(claim.parents) != len(other.parents):
        return fewer(other, claim)
    if bases.get(claim.child, 0) != bases.get(other.child, 0):
        return bases.get(claim.child, 0) > bases.get(other.child, 0)
    rest = sorted(set(range(len(group.ids))) - {claim.child, other.child, *claim.parents, *other.parents})
    mine = sum(_squared_distance(group, claim, claim.child, model) for model in rest)
    return mine <= sum(_squared_distance(group, claim, other.child, model) for model in rest)


def _squared_distance(group: Group, claim: Claim, one: int, another: int) -> float:
    """In the unit of the claim's residual."""
    moving = claim.scale > 0
    difference = group.rows[one].astype(np.float64) - group.rows[another]
    return float(np.mean((difference[moving] / claim.scale[moving, None]) ** 2))
