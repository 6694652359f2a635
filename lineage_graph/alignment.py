"""Which tensor of ``a`` answers to which tensor of ``b``.

First by name and shape. What is left is matched within each size by content (linear assignment on the sketches' cosine
and on moments that no layout changes), where the order of names breaks ties: that finds a backbone under another
prefix, renamed, reordered, transposed and fused layers. Names only choose whom to compare; whether the two agree, and
how the values of one must be laid out for it (see ``layouts``), is measured on the weights afterwards.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lineage_graph import names
from lineage_graph.comparison import LEAST_UNITS
from lineage_graph.layouts import compatible
from lineage_graph.moments import SAMPLED_BLOCKS
from lineage_graph.sketch import BLOCK
from lineage_graph.types import Fingerprint, TensorFingerprint

ORDER_BONUS = 0.05
"""What equal rank adds to a sketch's cosine in the assignment: it decides between strangers, never against content."""

SHAPE_BONUS = 0.03
"""What an equal shape adds, where others would be possible."""

MOMENTS_SCALE = 0.002
"""Difference of moments that counts as equal up to rounding: between separate trainings it is ten times as large."""

LARGEST_LAID_OUT = 1 << 26
"""Elements up to which tensors of different shapes are compared: both are then read whole."""

LARGEST_GROUP = 2048
"""Tensors of one size beyond which the assignment (cubic) is replaced by order alone."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """``pairs``: (tensor of a, tensor of b), weights only, no heads, no running statistics, in the order of a's names.

    ``coverage``: aligned elements over the elements of the smaller of the two backbones, 0 to 1. ``grown``: see
    :func:`grown`. ``narrowed``: one side may be the other with units left out (see ``narrowed``); shapes then differ.
    """

    pairs: tuple[tuple[TensorFingerprint, TensorFingerprint], ...]
    coverage: float
    grown: tuple[tuple[TensorFingerprint, TensorFingerprint], ...] = ()
    narrowed: bool = False


def align(a: Fingerprint, b: Fingerprint) -> Alignment:
    """Align the backbones of ``a`` and ``b``; symmetric up to the order within the pairs. Tables that have grown are
    left to :func:`grown`.
    """
    backbone_a, backbone_b = a.backbone, b.backbone
    if _of_one_layout(backbone_a, backbone_b):
        return Alignment(tuple(zip(backbone_a, backbone_b, strict=True)), 1.0)
    by_name = {tensor.spec.name: tensor for tensor in backbone_b}
    pairs: list[tuple[TensorFingerprint, TensorFingerprint]] = []
    rest_a: list[TensorFingerprint] = []
    for tensor in backbone_a:
        partner = by_name.get(tensor.spec.name)
        if partner is not None and _comparable(tensor, partner):
            pairs.append((tensor, by_name.pop(tensor.spec.name)))
        else:
            rest_a.append(tensor)
    rest_b = [tensor for tensor in backbone_b if tensor.spec.name in by_name]
    pairs += _match_rest(rest_a, rest_b)
    pairs.sort(key=lambda pair: names.natural_key(pair[0].spec.name))
    smaller = min(_elements(backbone_a), _elements(backbone_b))
    covered = sum(min(one.spec.size, other.spec.size) for one, other in pairs)
    return Alignment(tuple(pairs), covered / smaller if smaller else 0.0)


def grown(a: Fingerprint, b: Fingerprint) -> tuple[Pair, ...]:
    """Tables of one name and width of which one side has more rows: words, positions, the classes of a head.

    They count for nothing in a relation; whether the rows that both have are the same ones is left to the weights.
    """
    if _of_one_layout(a.tensors, b.tensors):
        return ()
    tables = {tensor.spec.name: tensor for tensor in b.tensors if _is_table(tensor)}
    pairs = ((x, tables[x.spec.name]) for x in a.tensors if _is_table(x) and x.spec.name in tables)
    return tuple((x, y) for x, y in pairs if x.spec.shape[1] == y.spec.shape[1] and x.spec.shape[0] != y.spec.shape[0])


def _is_table(tensor: TensorFingerprint) -> bool:
    return tensor.is_matrix and len(tensor.spec.shape) == 2 and tensor.spec.shape[0] >= LEAST_UNITS


def _of_one_layout(a: Sequence[TensorFingerprint], b: Sequence[TensorFingerprint]) -> bool:
    """Are names and shapes the same, one by one, of some tensors?"""
    same = zip(a, b, strict=False)
    return len(a) == len(b) > 0 and all(x.spec.shape == y.spec.shape and x.spec.name == y.spec.name for x, y in same)


def _elements(tensors: Sequence[TensorFingerprint]) -> int:
    return sum(tensor.spec.size for tensor in tensors)


Pair = tuple[TensorFingerprint, TensorFingerprint]


def _match_rest(rest_a: list[TensorFingerprint], rest_b: list[TensorFingerprint]) -> list[Pair]:
    groups_a, groups_b = _by_size(rest_a), _by_size(rest_b)
    pairs = [pair for key, group in groups_a.items() for pair in _assign(group, groups_b.get(key, []))]
    taken = {id(tensor) for pair in pairs for tensor in pair}
    rest_a = [tensor for tensor in rest_a if id(tensor) not in taken]
    rest_b = [tensor for tensor in rest_b if id(tensor) not in taken]
    return pairs + _folded(rest_a, rest_b) + [(a, b) for b, a in _folded(rest_b, rest_a)]


def _by_size(tensors: list[TensorFingerprint]) -> dict[tuple[int, bool], list[TensorFingerprint]]:
    groups: dict[tuple[int, bool], list[TensorFingerprint]] = defaultdict(list)
    for tensor in tensors:
        groups[tensor.spec.size, tensor.is_matrix].append(tensor)
    return groups


def _assign(group_a: list[TensorFingerprint], group_b: list[TensorFingerprint]) -> list[Pair]:
    """Partners of one size. Vectors carry no sketch: unless two are equal, they pair by order, and only if the counts
    agree.
    """
    if not group_b:
        return []
    even = len(group_a) == len(group_b)
    if max(len(group_a), len(group_b)) > LARGEST_GROUP:
        paired = list(zip(group_a, group_b, strict=True)) if even else []
        return [pair for pair in paired if _comparable(*pair)]
    from scipy.optimize import linear_sum_assignment

    equal = _equal_moments(group_a, group_b)
    gain = equal.copy()
    possible = _possible(group_a, group_b)
    if group_a[0].is_matrix:
        same_shape = np.array([[a.spec.shape == b.spec.shape for b in group_b] for a in group_a])
        gain += np.where(same_shape, unit_sketches(group_a) @ unit_sketches(group_b).T + SHAPE_BONUS, 0.0)
    elif not even:
        possible &= equal > 0.5
    same_rank = np.arange(min(len(group_a), len(group_b)))
    gain[same_rank, same_rank] += ORDER_BONUS
    rows, columns = linear_sum_assignment(np.where(possible, gain, -10.0), maximize=True)
    return [(group_a[i], group_b[j]) for i, j in zip(rows, columns, strict=True) if possible[i, j]]


def _possible(group_a: list[TensorFingerprint], group_b: list[TensorFingerprint]) -> npt.NDArray[np.bool_]:
    """Whether one can be laid out like the other, shape (tensors of a, tensors of b)."""
    return np.array([[_comparable(a, b) for b in group_b] for a in group_a])


def _comparable(a: TensorFingerprint, b: TensorFingerprint) -> bool:
    """Of one shape, or small enough to be laid out anew in memory."""
    shape_a, shape_b = a.spec.shape, b.spec.shape
    return shape_a == shape_b or (a.spec.size <= LARGEST_LAID_OUT and compatible(shape_b, shape_a))


def _equal_moments(group_a: list[TensorFingerprint], group_b: list[TensorFingerprint]) -> npt.NDArray[np.float64]:
    """1 where norm, mean and kurtosis are equal, which no layout changes, falling to 0 within ``MOMENTS_SCALE``."""
    a, b = (np.array([_moments(tensor) for tensor in group]) for group in (group_a, group_b))
    apart = np.abs(a[:, None, :] - b[None, :, :]).sum(axis=2)
    closeness: npt.NDArray[np.float64] = np.exp(-apart / MOMENTS_SCALE)
    return closeness


def _moments(tensor: TensorFingerprint) -> tuple[float, float, float]:
    """Ln of the root-mean-square, the mean in its units, ln of the kurtosis (0 where it is of a sample)."""
    size = tensor.spec.size
    scale = max(tensor.norm / math.sqrt(size), 1e-30)
    whole = size < SAMPLED_BLOCKS * BLOCK
    return math.log(scale), tensor.mean / scale, math.log1p(tensor.kurtosis) if whole else 0.0


def _folded(long: list[TensorFingerprint], short: list[TensorFingerprint]) -> list[Pair]:
    """(long, short): one tensor that holds two or three others, one after the other (a fused query, key and value), or
    a vector of two parts of which only the sum counts. By order, and only if the counts agree.
    """
    pairs: list[Pair] = []
    longs, shorts = _by_shape(long), _by_shape(short)
    for shape, group in longs.items():
        for parts in (2, 3):
            if not shape or shape[0] % parts or group[0].spec.size > LARGEST_LAID_OUT:
                continue
            others = shorts.get((shape[0] // parts, *shape[1:]), [])
            if len(others) == parts * len(group):
                pairs += [(group[place // parts], other) for place, other in enumerate(others)]
            elif parts == 2 and len(shape) == 1 and len(others) == len(group):
                pairs += list(zip(group, others, strict=True))
    return pairs


def _by_shape(tensors: list[TensorFingerprint]) -> dict[tuple[int, ...], list[TensorFingerprint]]:
    groups: dict[tuple[int, ...], list[TensorFingerprint]] = defaultdict(list)
    for tensor in tensors:
        groups[tensor.spec.shape].append(tensor)
    return groups


def unit_sketches(group: Sequence[TensorFingerprint]) -> npt.NDArray[np.float32]:
    """Sketches as unit rows, shape (tensors, ``sketch.NARROW``)."""
    matrix = np.stack([tensor.sketch for tensor in group])
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: npt.NDArray[np.float32] = matrix / np.maximum(lengths, np.float32(1e-30))
    return unit
