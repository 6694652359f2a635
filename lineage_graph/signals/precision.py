"""Types that hold the same values: the narrower one is the original, since rounding would have changed them."""

from __future__ import annotations

import math
import re

from lineage_graph.signals.base import PairContext


def measure(pair: PairContext) -> dict[str, float]:
    """``precision_loss``: where all values of the matrices are equal, log2 of b's over a's stored bits an element
    (> 0: b is a in a wider type, which lost its precision before). Where values differ, the type alone says nothing: a
    base in half precision may have been trained on in single, or a training stored in half (see ``lattice``).
    """
    matrices = [(a, b, t) for (a, b), t in zip(pair.aligned, pair.tensors, strict=True) if t.rows]
    if not matrices or not all(t.identical for _, _, t in matrices):
        return {}
    bits_a = sum(t.size * bits(a.spec.dtype) for a, _, t in matrices)
    bits_b = sum(t.size * bits(b.spec.dtype) for _, b, t in matrices)
    return {"precision_loss": math.log2(bits_b / bits_a)} if bits_a != bits_b else {}


def bits(dtype: str) -> int:
    """Bits that an element of ``dtype`` takes, by the first number in its name (``bfloat16`` 16, ``q4_0`` 4)."""
    number = re.search(r"\d+", dtype)
    return min(int(number.group()), 32) if number else 32
