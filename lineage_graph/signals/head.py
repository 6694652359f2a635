"""What became of the task head: a new task brings a new one, while one run goes on with its own."""

from __future__ import annotations

import math

import numpy as np

from lineage_graph import names
from lineage_graph.signals.base import PairContext
from lineage_graph.types import Fingerprint, TensorFingerprint

SAME = 1e-5
"""Relative difference of norms and means below which two tensors hold the same values, in whatever layout."""


def measure(pair: PairContext) -> dict[str, float]:
    """``head_cosine``: mean centred cosine of the smaller head's matrices, by size, -1 to 1, estimated from sketches
    (to 0.13); a matrix that the other side does not have in this shape counts as 0. ``head_identical``: share of the
    smaller head's elements that the other side has with the same values, 0 to 1. Absent where a side has no head, or
    one without matrices.
    """
    a, b = _head(pair.a), _head(pair.b)
    size = min(_elements(a), _elements(b))
    matrices = min(_elements([t for t in a if t.is_matrix]), _elements([t for t in b if t.is_matrix]))
    if not all(any(t.is_matrix for t in head) for head in (a, b)):
        return {}
    pairs = _partners(a, b)
    return {
        "head_cosine": sum(x.spec.size * _cosine(x, y) for x, y in pairs if x.is_matrix and y.is_matrix) / matrices,
        "head_identical": sum(x.spec.size for x, y in pairs if _same(x, y)) / size,
    }


def _head(fingerprint: Fingerprint) -> list[TensorFingerprint]:
    """The head's weights; numbers alone are left out, since profilers add some beside each layer."""
    weights = [t for t in fingerprint.tensors if t.weight]
    heads = names.heads((t.spec.name for t in weights), (t.spec.name for t in weights if t.is_matrix))
    return [t for t in weights if t.spec.name in heads and t.spec.size > 1]


def _elements(tensors: list[TensorFingerprint]) -> int:
    return sum(t.spec.size for t in tensors)


def _partners(
    a: list[TensorFingerprint], b: list[TensorFingerprint]
) -> list[tuple[TensorFingerprint, TensorFingerprint]]:
    """Tensors of one size: namesakes, then those of equal values, then by the order of names."""
    pairs: list[tuple[TensorFingerprint, TensorFingerprint]] = []
    for suits in (_namesakes, _same, _equal_sizes):
        for x in a:
            taken = {id(tensor) for pair in pairs for tensor in pair}
            free = (y for y in b if id(x) not in taken and id(y) not in taken)
            found = next((y for y in free if _equal_sizes(x, y) and suits(x, y)), None)
            pairs += [(x, found)] if found is not None else []
    return pairs


def _namesakes(x: TensorFingerprint, y: TensorFingerprint) -> bool:
    return x.spec.name == y.spec.name


def _equal_sizes(x: TensorFingerprint, y: TensorFingerprint) -> bool:
    return x.spec.size == y.spec.size


def _same(x: TensorFingerprint, y: TensorFingerprint) -> bool:
    alike = math.isclose(x.norm, y.norm, rel_tol=SAME) and math.isclose(
        x.mean, y.mean, rel_tol=SAME, abs_tol=SAME * x.std
    )
    return x.hash == y.hash or (x.spec.shape != y.spec.shape and alike)


def _cosine(x: TensorFingerprint, y: TensorFingerprint) -> float:
    if _same(x, y):
        return 1.0
    if x.spec.shape != y.spec.shape:
        return 0.0
    return float(np.dot(x.sketch, y.sketch) / (np.linalg.norm(x.sketch) * np.linalg.norm(y.sketch)))
