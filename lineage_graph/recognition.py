"""Whether a doubtful pair is worth comparing: a look at the few matrices that most likely have something in common.

The more strangers there are, the more of them come near by chance: in the moments of some matrix, which no order of
units changes, or in a sketch. Copies in other units are nearest in what has changed least, and relatives in the matrix
whose sketches agree best. Where none of these answers to the other, as it is, in another layout or in another order of
units, nothing does, and the rest of the weights is never read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from lineage_graph import alignment, evidence, fingerprint, held, invariants, relayout, units, unscramble
from lineage_graph.alignment import Alignment, Pair
from lineage_graph.cached import Artefact, Later, Workshop
from lineage_graph.checkpoints.base import Reader
from lineage_graph.comparison import TensorPair
from lineage_graph.held import Side, whole
from lineage_graph.signals.base import agrees
from lineage_graph.store import artefact_key
from lineage_graph.types import CandidatePair, Model

SCHEMA = 1
"""Raise it when what is recognised changes."""

DOUBTFUL = 0.3
"""Cosine of sketches from which a pair is compared without a look. On 56 grown zoos of all kinds (seeds 100 to 103)
sketches bring 14 pairs of strangers, of which one is above, and agrees."""

LOOKED_AT = 2
"""Matrices of either sign, the likeliest first. On the same zoos one is enough: it answers in all of 200 pairs of
relatives that only invariants propose, and in none of 1,534 of strangers; of pairs with a doubtful sketch, in all of
451 of which any matrix agrees, and in one of 14 of strangers."""


@dataclass(frozen=True, slots=True)
class LookTask:
    """Of two checkpoints the likeliest matrices: those that may agree as they are, and those that may have ``moved``,
    into another layout or order of units.
    """

    a: Side
    b: Side
    as_is: tuple[TensorPair, ...]
    moved: tuple[TensorPair, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the checkpoints that are read."""
        return (self.a.path, self.b.path)


def worth_comparing(models: Sequence[Model], pairs: Sequence[CandidatePair], shop: Workshop) -> list[CandidatePair]:
    """The ``pairs``, in their order, without those that are alike by chance. What cannot be told, or read, stays."""
    by_id = {model.id: model for model in models}
    asked = [pair for pair in pairs if pair.invariant or 0 < pair.similarity < DOUBTFUL]
    ends = [(by_id[pair.a], by_id[pair.b]) for pair in asked]
    work = [(_key(pair, *both), Later(partial(_task, pair, *both))) for pair, both in zip(asked, ends, strict=True)]
    outcomes = shop.map_pairs(ANSWERS, look, work, [(pair.a, pair.b) for pair in asked])
    strangers = {pair for pair, outcome in zip(asked, outcomes, strict=True) if outcome.value is False}
    return [pair for pair in pairs if pair not in strangers]


def _key(pair: CandidatePair, a: Model, b: Model) -> str:
    digests = a.checkpoint.digest, b.checkpoint.digest
    return artefact_key(ANSWERS.kind, SCHEMA, fingerprint.SCHEMA, pair.invariant, *digests)


def _task(pair: CandidatePair, a: Model, b: Model) -> LookTask:
    as_is = [] if pair.invariant else _by_sketch(a, b)
    moved = [ends for ends in invariants.nearest(a, b) if _movable(ends[0].spec.shape)]
    sides = Side.of(a.checkpoint), Side.of(b.checkpoint)
    plans = (evidence.plan(*sides, Alignment(tuple(able[:LOOKED_AT]), 0.0)) for able in (as_is, moved))
    return LookTask(*sides, *(plan.tensors for plan in plans))


def _by_sketch(a: Model, b: Model) -> list[Pair]:
    """Matrices of one shape that answer to one another, those whose sketches agree best first."""
    aligned = alignment.align(a.fingerprint, b.fingerprint).pairs
    able = [(x, y) for x, y in aligned if x.is_matrix and y.is_matrix and x.spec.shape == y.spec.shape]
    if not able:
        return []
    one, other = (alignment.unit_sketches(side) for side in zip(*able, strict=True))
    return [able[place] for place in np.argsort(-np.sum(one * other, axis=1), kind="stable")]


def _movable(shape: tuple[int, ...]) -> bool:
    """Can a matrix be found in another layout or order of units?"""
    return math.prod(shape) <= unscramble.LARGEST_MATRIX and units.matchable(shape)


def look(task: LookTask) -> bool:
    """Does one of the matrices answer to the other, or is there none? Raises
    :class:`~lineage_graph.errors.ModelError`.
    """
    with held.opened(task.a) as a, held.opened(task.b) as b:
        found = (agrees(held.compare(a, b, pair)) for pair in task.as_is)
        return not (task.as_is or task.moved) or any(found) or any(_answers(a, b, pair) for pair in task.moved)


def _answers(a: Reader, b: Reader, pair: TensorPair) -> bool:
    """Does a matrix agree with another as it is, in another layout or unit by unit?"""
    as_is = held.compare(a, b, pair)
    x, y = whole(a, pair.name_a), whole(b, pair.name_b)
    return agrees(as_is) or agrees(relayout.preferred(x, y, pair, as_is)) or unscramble.answers(a, b, pair)


def to_bytes(answer: bool) -> bytes:
    """Serialise."""
    return b"yes" if answer else b"no"


def from_bytes(data: bytes) -> bool:
    """The inverse of :func:`to_bytes`. Raises ``ValueError`` on bytes that are none."""
    if data not in (b"yes", b"no"):
        raise ValueError("no answer")
    return data == b"yes"


ANSWERS = Artefact("recognition", to_bytes, from_bytes)
