"""Rounding: the side whose values lie on a coarser lattice is the child of the side that it rounds."""

from __future__ import annotations

import math

from lineage_graph.grain import crowding
from lineage_graph.signals.base import PairContext
from lineage_graph.types import TensorComparison, TensorFingerprint

LEAST_LOSS = 1.0
"""Binary digits that rounding takes at least; the digits of a lattice are known to about half a digit."""

LEAST_ROUNDED = 0.5
"""Share of what changed that has to be rounded, before it says which side is the child."""

CROWDED = 1.05
"""Occurrences of a value from which it lies on a lattice of few levels. Of 4096 float32 weights of one spread, two
agree once in some ten tensors (4096²/2 pairs over 2²⁴ to 2²⁶ usual values), so real ones have 1.00."""

HALF_CROWDED = 1.5
MOST_LEVELS = 512
"""For values that fit into half precision, what tells a lattice of few levels (see :func:`_on_few_levels`)."""

LATTICE_ERROR = 0.15
"""Largest share of a matrix's energy that rounding to few levels loses: a step of d standard deviations loses d²/12;
four bits over a range of ±6 leave 0.06, clipping adds to it, and two bits less would leave a full 1."""


def measure(pair: PairContext) -> dict[str, float]:
    """``rounding``: share of the changed matrices' elements, 0 to 1, in matrices of which one side is the other,
    rounded: it uses fewer binary digits by one or more, and differs by no more than rounding to these does.

    ``lattice_loss``: mean number of digits lost so (> 0: b has fewer), where at least half of what changed is rounded.
    Rounding is one-way. A side that has fewer digits, but is further away, may be either: a base in half precision that
    was trained on in single, or a training that was stored in half.
    """
    changed = [(a, b, t) for (a, b), t in zip(pair.aligned, pair.tensors, strict=True) if t.rows and not t.identical]
    if not changed:
        return {}
    size = sum(t.size for _, _, t in changed)
    losses = [(t.size, digits(a) - digits(b)) for a, b, t in changed if _rounded(a, b, t)]
    rounded = sum(elements for elements, _ in losses) / size
    signals = {"rounding": rounded} if rounded else {}
    if rounded >= LEAST_ROUNDED:
        signals["lattice_loss"] = sum(elements * loss for elements, loss in losses) / size
    return signals


def digits(tensor: TensorFingerprint) -> float:
    """Binary digits that a value of the tensor carries: of the number of levels where these are few, else of the
    mantissa. 24 in full float32, about 11 in half precision, 7 in eight-bit integers, whatever their scale.
    """
    return math.log2(tensor.levels + 1) if crowding(tensor) > CROWDED else float(tensor.bits)


def _rounded(a: TensorFingerprint, b: TensorFingerprint, both: TensorComparison) -> bool:
    if abs(digits(a) - digits(b)) < LEAST_LOSS or both.cosine <= 0:
        return False
    coarse = min(a, b, key=digits)
    if _on_few_levels(coarse):
        return 1 - both.cosine**2 <= LATTICE_ERROR
    # Half a unit in the last of s digits is at most 2^-s of the value.
    return both.squared_distance <= 4.0**-coarse.bits * math.sqrt(both.squared_norm_a * both.squared_norm_b)


def _on_few_levels(tensor: TensorFingerprint) -> bool:
    """A lattice of equal steps, rather than a floating-point type, whose steps grow with the value?

    With 8 to 11 digits (bfloat16, half) it may be either. Weights in bfloat16 take more than ``MOST_LEVELS`` of its
    values by the time that they meet each of them half as often again.
    """
    if not 8 <= tensor.bits <= 11:
        return crowding(tensor) > CROWDED
    return crowding(tensor) > HALF_CROWDED and tensor.levels <= MOST_LEVELS
