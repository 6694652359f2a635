"""Models from which hidden units were taken out: whom they could come from, and which layers answer to which.

A narrower model shares few shapes with the one it was cut from, so no index of sketches proposes the two. What shapes
leave open is ranked by how weights are spread within their units; whether they agree is measured afterwards (see
``channels``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lineage_graph.alignment import Alignment, Pair
from lineage_graph.types import Fingerprint, FloatArray, Model, TensorFingerprint

LEAST_COVERAGE = 0.5
"""Share of the narrower backbone that has to fit into the wider one."""

MOST_UNITS = 4096
MOST_ELEMENTS = 1 << 24
"""Larger tensors are not matched (the assignment is cubic, and both are read whole)."""

_FLOOR = 1e-3
"""Quantiles below are zeros that pruning made, and must not outweigh the others."""


def align(a: Fingerprint, b: Fingerprint) -> Alignment | None:
    """Layer by layer, where one model could be the other with hidden units left out: no layer is wider, one layer has
    fewer outputs, and one has fewer inputs to the same extent.

    A longer vocabulary or more positions do that to one side of a layer only. Partners by name, or, where names differ,
    by their order, if there are equally many. ``None`` where no side fits into the other; whether the weights agree is
    for ``channels.compare`` to say.
    """
    of_a, of_b = a.backbone, b.backbone
    names_b = {tensor.spec.name: tensor for tensor in of_b}
    pairs = [(x, names_b[x.spec.name]) for x in of_a if x.spec.name in names_b]
    if not pairs and len(of_a) == len(of_b):
        pairs = list(zip(of_a, of_b, strict=True))
    pairs = [(x, y) for x, y in pairs if fits(x, y) or fits(y, x)]
    if not (all(fits(x, y) for x, y in pairs) or all(fits(y, x) for x, y in pairs)) or not _hidden_units(pairs):
        return None
    smaller = min(sum(t.spec.size for t in side) for side in (of_a, of_b))
    coverage = sum(min(x.spec.size, y.spec.size) for x, y in pairs) / smaller
    return Alignment(tuple(pairs), coverage, narrowed=True) if coverage >= LEAST_COVERAGE else None


def fits(wide: TensorFingerprint, narrow: TensorFingerprint) -> bool:
    """Can ``narrow`` be ``wide`` with output or input units left out?"""
    x, y = wide.spec.shape, narrow.spec.shape
    small = max(x, default=0) <= MOST_UNITS and wide.spec.size <= MOST_ELEMENTS
    return small and len(x) == len(y) and x[2:] == y[2:] and all(m >= n for m, n in zip(x, y, strict=True))


def _hidden_units(pairs: Sequence[Pair]) -> bool:
    """Are the units that one layer no longer makes those that another no longer reads?

    By their ratio: where a map is flattened, each unit is read at several places.
    """
    lost: tuple[set[float], set[float]] = (set(), set())
    for x, y in pairs:
        for axis, ratios in enumerate(lost if len(x.spec.shape) >= 2 else ()):
            if x.spec.shape[axis] != y.spec.shape[axis]:
                ratios.add(x.spec.shape[axis] / y.spec.shape[axis])
    return not lost[0].isdisjoint(lost[1])


def narrower(models: Sequence[Model], known: set[tuple[int, int]], neighbours: int) -> Iterator[tuple[int, int]]:
    """Pairs (i, j), i < j, that are not ``known``: each model that could be another with units left out, with the
    ``neighbours`` of these that are nearest by the spread of weights within units.

    Shapes are compared once for any two signatures whose layers are of the same kinds, in the order of names.
    """
    layers = [model.fingerprint.backbone for model in models]
    kinds: dict[object, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, tensors in enumerate(layers):
        if any(tensor.is_matrix for tensor in tensors):
            dimensions = tuple((len(t.spec.shape), t.profile.size) for t in tensors)
            kinds[dimensions][models[index].fingerprint.signature].append(index)
    for signatures in kinds.values():
        groups = list(signatures.values())
        shapes = np.array([[n for t in layers[group[0]] for n in t.spec.shape] for group in groups])
        for number, group in enumerate(groups):
            wider = [i for place in _wider(shapes, number) for i in groups[place]]
            for narrow in group if wider else ():
                yield from _nearest(narrow, wider, models, layers, known, neighbours)


def _wider(shapes: npt.NDArray[np.int64], number: int) -> list[int]:
    """The rows of which no entry is smaller, and some are larger."""
    none_smaller = (shapes >= shapes[number]).all(axis=1)
    return [int(row) for row in np.flatnonzero(none_smaller & (shapes > shapes[number]).any(axis=1))]


def _nearest(
    narrow: int,
    wider: Sequence[int],
    models: Sequence[Model],
    layers: Sequence[Sequence[TensorFingerprint]],
    known: set[tuple[int, int]],
    neighbours: int,
) -> Iterator[tuple[int, int]]:
    own = _spread(layers[narrow])
    apart = {i: float(np.mean(np.abs(_spread(layers[i]) - own))) for i in wider}
    taken = 0
    for other in sorted(wider, key=lambda i: (apart[i], models[i].fingerprint.digest)):
        if taken == neighbours:
            return
        if align(models[narrow].fingerprint, models[other].fingerprint) is not None:
            taken += 1
            pair = min(narrow, other), max(narrow, other)
            if pair not in known:
                yield pair


def _spread(tensors: Sequence[TensorFingerprint]) -> FloatArray:
    """Ln of the quantiles within units of all matrices, one after the other."""
    quantiles: FloatArray = np.log(np.concatenate([tensor.profile for tensor in tensors]) + _FLOOR)
    return quantiles
