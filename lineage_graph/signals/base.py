"""What a signal sees of a pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from lineage_graph import names
from lineage_graph.types import Fingerprint, TensorComparison, TensorFingerprint

LEAST_COSINE = 0.2
LEAST_Z = 4.0
"""A matrix counts as inherited beyond both. A normal null passes 4 standard deviations once in 30,000 matrices."""


@dataclass(frozen=True)
class PairContext:
    """Two fingerprints, and what reading the aligned tensors of both side by side gave.

    ``aligned``: the fingerprints of each compared pair, in the order of ``tensors``. ``coverage``: aligned elements
    over the elements of the smaller backbone, 0 to 1. ``grown``: tables of which one side has more rows, compared as
    far as both go.
    """

    a: Fingerprint
    b: Fingerprint
    aligned: tuple[tuple[TensorFingerprint, TensorFingerprint], ...]
    tensors: tuple[TensorComparison, ...]
    coverage: float
    grown: tuple[TensorComparison, ...] = ()

    @cached_property
    def matrices(self) -> list[TensorComparison]:
        """The comparisons of weight matrices only."""
        return [tensor for tensor in self.tensors if tensor.rows]

    @cached_property
    def without_replaced(self) -> PairContext:
        """The pair without the parts that were replaced: matrices that do not agree, and their modules' vectors.

        What a new head or neck weighs says nothing about which side came first. A matrix of too few units for a z is
        judged by its cosine alone. A pair in which nothing agrees stays whole.
        """
        replaced = {names.module(t.name_a) for t in self.matrices if not agrees(t) and (t.z or t.cosine < LEAST_COSINE)}
        kept = [index for index, tensor in enumerate(self.tensors) if names.module(tensor.name_a) not in replaced]
        if not any(self.tensors[index].rows for index in kept):
            return self
        return replace(
            self,
            aligned=tuple(self.aligned[index] for index in kept),
            tensors=tuple(self.tensors[index] for index in kept),
        )


def agrees(matrix: TensorComparison) -> bool:
    """Does the matrix agree beyond chance?"""
    return matrix.cosine >= LEAST_COSINE and matrix.z >= LEAST_Z


Signal = Callable[[PairContext], dict[str, float]]
"""Measures, and never judges. Values by name; a name is absent where the signal does not apply. Signals of direction
are positive where they speak for a → b, and change their sign when the pair is turned round."""
