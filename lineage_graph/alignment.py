"""Which tensor of ``a`` answers to which tensor of ``b``.

First by name and shape. What is left is matched within each shape by content (the sketches' cosine, linear assignment),
where the order of names breaks ties: that finds a backbone under another prefix, and renamed or reordered layers.
Names only choose whom to compare; whether the two agree is measured on the weights afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lineage_graph import names
from lineage_graph.types import Fingerprint, TensorFingerprint

ORDER_BONUS = 0.05
"""What equal rank adds to a sketch's cosine in the assignment: it decides between strangers, never against content."""

LARGEST_GROUP = 2048
"""Tensors of one shape beyond which the assignment (cubic) is replaced by order alone."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """``pairs``: (tensor of a, tensor of b), weights only, no heads, no running statistics, in the order of a's names.

    ``coverage``: aligned elements over the elements of the smaller of the two backbones, 0 to 1.
    """

    pairs: tuple[tuple[TensorFingerprint, TensorFingerprint], ...]
    coverage: float


def align(a: Fingerprint, b: Fingerprint) -> Alignment:
    """Align the backbones of ``a`` and ``b``; symmetric up to the order within the pairs."""
    backbone_a, backbone_b = backbone(a), backbone(b)
    by_name = {tensor.spec.name: tensor for tensor in backbone_b}
    pairs: list[tuple[TensorFingerprint, TensorFingerprint]] = []
    rest_a: list[TensorFingerprint] = []
    for tensor in backbone_a:
        partner = by_name.get(tensor.spec.name)
        if partner is not None and partner.spec.shape == tensor.spec.shape:
            pairs.append((tensor, by_name.pop(tensor.spec.name)))
        else:
            rest_a.append(tensor)
    rest_b = [tensor for tensor in backbone_b if tensor.spec.name in by_name]
    pairs += _match_rest(rest_a, rest_b)
    pairs.sort(key=lambda pair: names.natural_key(pair[0].spec.name))
    smaller = min(_elements(backbone_a), _elements(backbone_b))
    covered = _elements([tensor for tensor, _ in pairs])
    return Alignment(tuple(pairs), covered / smaller if smaller else 0.0)


def backbone(fingerprint: Fingerprint) -> list[TensorFingerprint]:
    """The tensors that can be inherited: trained weights, without the head (unless all is head)."""
    weights = [tensor for tensor in fingerprint.tensors if tensor.weight]
    heads = names.heads((t.spec.name for t in weights), (t.spec.name for t in weights if t.is_matrix))
    return [t for t in weights if t.spec.name not in heads]


def _elements(tensors: list[TensorFingerprint]) -> int:
    return sum(tensor.spec.size for tensor in tensors)


def _match_rest(
    rest_a: list[TensorFingerprint], rest_b: list[TensorFingerprint]
) -> list[tuple[TensorFingerprint, TensorFingerprint]]:
    groups_a, groups_b = _by_shape(rest_a), _by_shape(rest_b)
    pairs: list[tuple[TensorFingerprint, TensorFingerprint]] = []
    for shape, group_a in groups_a.items():
        group_b = groups_b.get(shape, [])
        if group_b:
            pairs += [(group_a[i], group_b[j]) for i, j in _assign(group_a, group_b)]
    return pairs


def _by_shape(tensors: list[TensorFingerprint]) -> dict[tuple[tuple[int, ...], bool], list[TensorFingerprint]]:
    groups: dict[tuple[tuple[int, ...], bool], list[TensorFingerprint]] = defaultdict(list)
    for tensor in tensors:
        groups[tensor.spec.shape, tensor.is_matrix].append(tensor)
    return groups


def _assign(group_a: list[TensorFingerprint], group_b: list[TensorFingerprint]) -> list[tuple[int, int]]:
    """Partners within one shape. Vectors carry no sketch: they pair by order, and only if the counts agree."""
    if not group_a[0].is_matrix or max(len(group_a), len(group_b)) > LARGEST_GROUP:
        return [(i, i) for i in range(len(group_a))] if len(group_a) == len(group_b) else []
    if len(group_a) == len(group_b) == 1:
        return [(0, 0)]
    from scipy.optimize import linear_sum_assignment

    gain = _unit(group_a) @ _unit(group_b).T
    same_rank = np.arange(min(len(group_a), len(group_b)))
    gain[same_rank, same_rank] += ORDER_BONUS
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True)]


def _unit(group: list[TensorFingerprint]) -> npt.NDArray[np.float32]:
    """Sketches as unit rows, shape (tensors, ``sketch.NARROW``)."""
    matrix = np.stack([tensor.sketch for tensor in group])
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: npt.NDArray[np.float32] = matrix / np.maximum(lengths, np.float32(1e-30))
    return unit
