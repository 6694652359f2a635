"""What a signal sees of a pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lineage_graph.types import Fingerprint, TensorComparison, TensorFingerprint


@dataclass(frozen=True, slots=True)
class PairContext:
    """Two fingerprints, and what reading the aligned tensors of both side by side gave.

    ``aligned``: the fingerprints of each compared pair, in the order of ``tensors``. ``coverage``: aligned elements
    over the elements of the smaller backbone, 0 to 1.
    """

    a: Fingerprint
    b: Fingerprint
    aligned: tuple[tuple[TensorFingerprint, TensorFingerprint], ...]
    tensors: tuple[TensorComparison, ...]
    coverage: float

    @property
    def matrices(self) -> list[TensorComparison]:
        """The comparisons of weight matrices only."""
        return [tensor for tensor in self.tensors if tensor.rows]


Signal = Callable[[PairContext], dict[str, float]]
"""Measures, and never judges. Values by name; a name is absent where the signal does not apply. Signals of direction
are positive where they speak for a → b, and change their sign when the pair is turned round."""
