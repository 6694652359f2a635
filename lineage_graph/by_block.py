"""How far two models lie apart in each block of their network: what a fine-tune froze, and where it went on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import islice

from lineage_graph.blocks import blocks
from lineage_graph.types import Model, PairEvidence, TensorComparison

MOST = 256
"""Blocks of one edge that are kept, the first ones of the network."""


def distances(
    pairs: Iterable[PairEvidence], edges: Iterable[tuple[str, str]], models: Mapping[str, Model]
) -> dict[tuple[str, str], dict[str, float]]:
    """By edge (parent, child) that was measured, by block of the child in network order, the relative distance
    ‖a - b‖ / √(‖a‖‖b‖) over the block's weight matrices that were compared, from 0.
    """
    wanted = {frozenset(edge): edge for edge in edges}
    found: dict[tuple[str, str], dict[str, float]] = {}
    for pair in pairs:
        edge = wanted.get(frozenset((pair.a, pair.b)))
        if edge is None or not pair.tensors:
            continue
        child = edge[1]
        names = ((one.name_a if pair.a == child else one.name_b, one) for one in pair.tensors)
        apart = _by_block(dict(names), models[child])
        if apart:
            found[edge] = apart
    return found


def _by_block(compared: Mapping[str, TensorComparison], child: Model) -> dict[str, float]:
    apart: dict[str, float] = {}
    for block in islice(blocks(child.fingerprint), MOST):
        tensors = [compared[matrix.spec.name] for matrix in block.matrices if matrix.spec.name in compared]
        norm_a = math.fsum(tensor.squared_norm_a for tensor in tensors)
        norm_b = math.fsum(tensor.squared_norm_b for tensor in tensors)
        if norm_a > 0 and norm_b > 0:
            squared = math.fsum(tensor.squared_distance for tensor in tensors)
            apart[block.name] = math.sqrt(max(squared, 0.0)) / (norm_a * norm_b) ** 0.25
    return apart
