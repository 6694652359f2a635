"""Adapters that lie in a file of their own: factors of updates, and none of the weights that these are for.

What such a file was trained on top of cannot be read from it: any base of the architecture has the shapes. A base that
is declared can be checked, though: every layer that the adapter updates must be there, as large as the update.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from lineage_graph import names
from lineage_graph.signals.low_rank import ADAPTER_PARTS
from lineage_graph.types import Fingerprint, Model, PairEvidence, TensorFingerprint

_INTO = frozenset(part for part in ADAPTER_PARTS if part.endswith(("_a", "_down")))
"""Factors that read the layer's inputs (Hu et al., ICLR 2022: A); the others make its outputs (B)."""

Layer = tuple[str, ...]
Factors = Mapping[Layer, tuple[TensorFingerprint, TensorFingerprint]]


def declared(models: Sequence[Model]) -> Iterator[PairEvidence]:
    """Each adapter alone with the bases that it declares, as (base, adapter).

    ``shapes_fit``: share of the adapter's layers that the base has in a fitting shape, 0 to 1. ``distance``: at most so
    long is the update, relative to the base, if its scale is 1.
    """
    by_id = {model.id: model for model in models}
    for model in models:
        factors = _factors(model.fingerprint) if model.checkpoint.declared_parents else {}
        for claim in model.checkpoint.declared_parents if factors else ():
            if claim in by_id:
                base = by_id[claim].fingerprint
                signals = {"shapes_fit": _fit(factors, base), "distance": _longest(factors, base)}
                yield PairEvidence(claim, model.id, 0.0, signals)


def _factors(fingerprint: Fingerprint) -> Factors:
    """The two factors of each layer; none for a file that holds a layer's own weights, too."""
    found: dict[Layer, dict[bool, TensorFingerprint]] = {}
    others: set[Layer] = set()
    for tensor in fingerprint.tensors:
        parts = names.parts(tensor.spec.name)
        place = next((index for index, part in enumerate(parts) if part in ADAPTER_PARTS), None)
        if place is None:
            others.add(_layer(part for part in parts[:-1] if part != "base_layer"))
        elif len(tensor.spec.shape) >= 2:
            found.setdefault(_layer(parts[:place]), {})[parts[place] in _INTO] = tensor
    if others & found.keys():
        return {}
    return {layer: (both[True], both[False]) for layer, both in found.items() if len(both) == 2}


def _layer(parts: Iterator[str] | Sequence[str]) -> Layer:
    """A layer's name without what wrappers put before it."""
    left = list(parts)
    while left and left[0] in names.WRAPPER_PARTS:
        left.pop(0)
    return tuple(left)


def _fit(factors: Factors, base: Fingerprint) -> float:
    shapes = {_layer(names.parts(t.spec.name)[:-1]): t.spec.shape for t in base.tensors if len(t.spec.shape) >= 2}
    return sum(_fits(*both, shapes.get(layer, ())) for layer, both in factors.items()) / len(factors)


def _fits(into: TensorFingerprint, out: TensorFingerprint, shape: tuple[int, ...]) -> bool:
    """Does B·A have the layer's shape, (outputs, inputs, …), or, where a layer is kept the other way round, its
    transpose?
    """
    a, b = into.spec.shape, out.spec.shape
    return a[0] == b[1] and shape in ((b[0], *a[1:]), (a[1], b[0], *a[2:]))


def _longest(factors: Factors, base: Fingerprint) -> float:
    """‖B·A‖ ≤ ‖B‖‖A‖ over all layers, over the norm of the base."""
    updates = math.fsum((a.norm * b.norm) ** 2 for a, b in factors.values())
    norms = math.fsum(tensor.norm**2 for tensor in base.backbone)
    return math.sqrt(updates / norms) if norms else 0.0
