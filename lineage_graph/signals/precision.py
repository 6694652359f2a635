"""Lossy storage: the side that lost something is the child."""

from __future__ import annotations

import math
import re

from lineage_graph.signals.base import PairContext

LEAST_SPARSITY = 0.05
"""Zeros that pruning leaves; fewer come about by themselves."""


def measure(pair: PairContext) -> dict[str, float]:
    """``precision_loss``: log2 of a's over b's stored bits an element, where they differ (> 0: b has fewer). Where all
    values are equal nothing was lost, so the narrower file is the original and the sign turns round.

    ``sparsity_gain``: share of exact zeros in b's aligned matrices minus that in a's, where beyond ``LEAST_SPARSITY``.
    """
    signals: dict[str, float] = {}
    matrices = [(a, b) for a, b in pair.aligned if a.is_matrix and b.is_matrix]
    if not matrices:
        return signals
    size = sum(a.spec.size for a, _ in matrices)
    bits_a = sum(a.spec.size * bits(a.spec.dtype) for a, _ in matrices) / size
    bits_b = sum(b.spec.size * bits(b.spec.dtype) for _, b in matrices) / size
    if abs(bits_a - bits_b) >= 1:
        lossless = all(t.identical for t in pair.matrices)
        signals["precision_loss"] = math.log2(bits_a / bits_b) * (-1 if lossless else 1)
    gain = sum(a.spec.size * (b.zeros - a.zeros) for a, b in matrices) / size
    if abs(gain) >= LEAST_SPARSITY:
        signals["sparsity_gain"] = gain
    return signals


def bits(dtype: str) -> int:
    """Bits that an element of ``dtype`` takes, by the first number in its name (``bfloat16`` 16, ``q4_0`` 4)."""
    number = re.search(r"\d+", dtype)
    return min(int(number.group()), 32) if number else 32
