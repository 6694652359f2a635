"""A pair of models compared unit by unit, where one may hold the other's hidden units in another order or scale.

Each matrix is matched by itself, which makes strangers look alike, too. What tells a copy is that the order found for
the outputs of one matrix comes back as the order of the inputs of another, though the two never saw each other: of two
independent orders of n units, one unit agrees on average, whatever n (a matching problem: Poisson of mean 1).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import permutations

import numpy as np

from lineage_graph import units
from lineage_graph.checkpoints.base import Reader
from lineage_graph.comparison import TensorPair, compare_arrays, turned
from lineage_graph.held import derived, whole
from lineage_graph.rescale import CLEAR_GAIN, EXACT, rescaled, shared_scales, vector_like
from lineage_graph.signals.base import agrees
from lineage_graph.types import FloatArray, TensorComparison
from lineage_graph.units import Balanced, Matching, Order

PROBED = 8
"""Matrices, the smallest first, on which it is decided whether the rest is worth matching."""

SLOW_AXIS = 256
"""Units from which a first look takes one round of assignments: their more values tell them apart at once."""

LEAST_UNITS_Z = 5.0
"""Agreement between orders, in standard deviations, from which a copy is told from a stranger."""

LEAST_SHARE = 0.2
"""Share of units that must agree between two orders. That an order is the one on disk counts for nothing: inputs are
alike in strangers (the same pixels are dark, and most find themselves).
"""

TIED = 0.3
"""Cosine from which a matrix and another's transpose are taken for one."""

LEAST_MARGIN = 0.5
"""In an accepted pair, a matched matrix counts where 1 - cosine is less than this share of that of shuffled values."""

EQUAL_MARGIN = 0.1
EQUAL_SIZE = 256
"""A matrix of so many elements, at least eight a side, that comes this much nearer than shuffled values tells a copy by
itself: networks of one task, matched unit by unit, come no nearer than half.
"""

RESCALED_BELOW = 0.95
"""Cosine below which matrices that agree may be scaled unit by unit: factors of 1/2 to 2 leave some 0.9."""

VALUES_PER_SCALE = 8

LARGEST_MATRIX = 1 << 22
"""Elements of a matrix beyond which it is not matched."""


@dataclass(slots=True)
class _Known:
    """Orders of units that were found, by their number, with the matrix that each comes from; and scales."""

    orders: dict[int, list[tuple[int, Order]]] = field(default_factory=dict)
    scales: dict[int, list[tuple[Order, FloatArray]]] = field(default_factory=dict)

    def add(self, source: int, matching: Matching) -> None:
        """Keep both orders of a matrix."""
        for order in (matching.rows, matching.columns):
            self.orders.setdefault(len(order), []).append((source, order))

    def like(self, source: int, order: Order) -> list[Order]:
        """The order from another matrix, or the one on disk, that agrees best, if it does beyond chance."""
        others = [other for index, other in self.orders.get(len(order), []) if index != source]
        best = max([*others, np.arange(len(order))], key=lambda other: int(np.sum(order == other)))
        return [best] if _agreement(order, best) else []


def unscramble(
    a: Reader, b: Reader, pairs: Sequence[TensorPair], tensors: Sequence[TensorComparison]
) -> list[TensorComparison]:
    """The comparisons anew, on matched units; ``tensors`` as they are where the models are strangers all the same.

    Where units were scaled, distances are those in the scale of the side whose units vary more, whichever comes first:
    it is the one that was scaled, and what was done to it since was done in that scale. ``pairs``: the plan, in the
    order of ``tensors``. Raises :class:`~lineage_graph.errors.ModelError`.
    """
    found = _in_scale_of_a(a, b, pairs, tensors)
    if sum(tensor.size * tensor.spread for tensor in found if not math.isnan(tensor.spread)) <= 0:
        return found
    back = _in_scale_of_a(b, a, [pair.turned() for pair in pairs], [turned(tensor) for tensor in tensors])
    return [turned(tensor) for tensor in back]


def _in_scale_of_a(
    a: Reader, b: Reader, pairs: Sequence[TensorPair], tensors: Sequence[TensorComparison]
) -> list[TensorComparison]:
    shapes = {spec.name: spec.shape for spec in a.tensors}
    unlike = [
        index
        for index, (pair, tensor) in enumerate(zip(pairs, tensors, strict=True))
        if _unexplained(tensor) and units.matchable(shapes[pair.name_a])
    ]
    unlike.sort(key=lambda index: (units.cost(shapes[pairs[index].name_a]), index))
    probed = {
        index: _Matched(a, b, pairs[index], thorough=max(shapes[pairs[index].name_a]) <= SLOW_AXIS)
        for index in unlike[:PROBED]
    }
    found = list(tensors)
    if units_z(list(probed.values())) < LEAST_UNITS_Z and not any(map(_equal, probed.values())):
        return found
    known = _Known()
    for index, one in probed.items():
        known.add(index, one.own)
    for index in unlike:
        found[index] = _matrix(a, b, pairs[index], tensors[index], index, known)
    vectors = [
        index
        for index, tensor in enumerate(tensors)
        if max(shapes[tensor.name_a], default=1) == tensor.size <= units.LARGEST_AXIS and not tensor.identical
    ]
    _share_scales(a, b, [pairs[index] for index in vectors], known)
    for index in vectors:
        found[index] = _vector(a, b, pairs[index], tensors[index], known)
    return found


def _unexplained(tensor: TensorComparison) -> bool:
    fits = tensor.rows > 0 and not tensor.layout and tensor.size <= LARGEST_MATRIX
    return fits and (tensor.cosine < RESCALED_BELOW or not agrees(tensor))


def looks_scaled(a: Reader, b: Reader, pairs: Sequence[TensorPair], tensors: Sequence[TensorComparison]) -> bool:
    """Would scaling units bring the matrix that agrees least, and yet agrees, much nearer?"""
    shapes = {spec.name: spec.shape for spec in a.tensors}
    near = [
        (tensor.cosine, index)
        for index, tensor in enumerate(tensors)
        if agrees(tensor) and _unexplained(tensor) and _telling(shapes[tensor.name_a])
    ]
    if not near:
        return False
    pair = pairs[min(near)[1]]
    values_a, values_b = whole(a, pair.name_a), whole(b, pair.name_b)
    x, y = _balanced(a, pair.name_a), _balanced(b, pair.name_b)
    rows, columns = (np.arange(side) for side in x.values.shape[:2])
    return rescaled(x, y, values_a, values_b, Matching(rows, columns, 0.0), CLEAR_GAIN) is not None


def _telling(shape: tuple[int, ...]) -> bool:
    """Has a matrix so many more values than scales that these cannot explain what training changed?"""
    return units.matchable(shape) and math.prod(shape) >= VALUES_PER_SCALE * sum(shape[:2])


def _balanced(reader: Reader, name: str) -> Balanced:
    return derived(reader, name, "balanced", lambda values: units.balance(units.cube(values)))


class _Matched:
    """One matrix of both models. ``a``, ``b``: as they are; ``x``, ``y``: balanced; ``own``: matched by itself."""

    def __init__(self, a: Reader, b: Reader, pair: TensorPair, thorough: bool = True) -> None:
        self.a, self.b = whole(a, pair.name_a), whole(b, pair.name_b)
        self.x, self.y = _balanced(a, pair.name_a), _balanced(b, pair.name_b)
        self.own = units.match(self.x.values, self.y.values, thorough)

    @cached_property
    def chance(self) -> float:
        """The cosine that matching gives for the same values shuffled."""
        return units.match(self.x.values, np.random.default_rng(0).permuted(self.y.values)).cosine

    def margin(self, matching: Matching) -> float:
        """What is left of 1 - cosine, as a share of what is left of shuffled values; 1 for chance, 0 for a copy."""
        return (1 - matching.cosine) / max(1 - self.chance, 1e-9)


def answers(a: Reader, b: Reader, pair: TensorPair) -> bool:
    """Does a matrix, matched unit by unit with another, come clearly nearer to it than to shuffled values?"""
    one = _Matched(a, b, pair, thorough=False)
    # Shuffled values are costly, and never make up for a cosine below this.
    return one.own.cosine > 1 - LEAST_MARGIN and one.margin(one.own) < LEAST_MARGIN


def _equal(one: _Matched) -> bool:
    wide = min(one.x.values.shape[:2]) >= units.LEAST_AXIS and one.a.size >= EQUAL_SIZE
    return wide and one.own.cosine > 0.5 and one.margin(one.own) < EQUAL_MARGIN


def units_z(matched: Sequence[_Matched]) -> float:
    """How far the order of one matrix's outputs agrees with that of another's inputs, at best, beyond chance; as a
    normal deviate, corrected for the number of orders that were compared; 0 where nothing can be told.

    Orders of outputs among themselves tell nothing: a model may hold a layer twice (an average, a target network).
    """
    from scipy.special import ndtri, pdtrc

    found = [
        _agreement(one.own.rows, other.own.columns)
        for one, other in permutations(matched, 2)
        if len(one.own.rows) == len(other.own.columns) and not _tied(one.x.values, other.x.values)
    ]
    agreeing = max(found, default=0)
    p = len(found) * float(pdtrc(agreeing - 1, 1.0)) if agreeing else 1.0
    return -float(ndtri(max(p, 1e-300))) if p < 0.5 else 0.0


def _tied(one: FloatArray, other: FloatArray) -> bool:
    """Does a model hold one matrix as the other's transpose? Then they know each other's order."""
    turned = other.transpose(1, 0, 2)
    return one.shape == turned.shape and abs(float(np.vdot(one, turned))) > TIED


def _agreement(one: Order, other: Order) -> int:
    """Units that agree; 0 where they are too small a share."""
    agreeing = int(np.sum(one == other))
    return agreeing if agreeing >= LEAST_SHARE * len(one) else 0


def _matrix(
    a: Reader, b: Reader, pair: TensorPair, as_is: TensorComparison, index: int, known: _Known
) -> TensorComparison:
    """The comparison on matched units, where these are clearly nearer to one another than shuffled values come.

    ``z`` is no more than the cosine's gain over shuffled values, in units of 1/√size: the best of all orders has no
    larger spread than any one of them (Borell; Tsirelson, Ibragimov & Sudakov, 1975 and 1976).
    """
    one = _Matched(a, b, pair)
    matching = _best(one, index, known)
    if one.margin(matching) > LEAST_MARGIN:
        return as_is
    known.add(index, matching)
    layout, values, spread = "units", _ordered(one.b, matching), math.nan
    scaled = rescaled(one.x, one.y, one.a, values, matching)
    if scaled is not None:
        layout, values, spread = "units, scaled", scaled.values, _spread(one.y) - _spread(one.x)
        for order, scale in scaled.scales:
            known.scales.setdefault(len(order), []).append((order, scale))
    found = compare_arrays(one.a, values, replace(pair, mean_b=float(values.mean())))
    if found.squared_distance >= as_is.squared_distance:
        return as_is
    beyond = (matching.cosine - one.chance) * math.sqrt(one.a.size)
    same = scaled is not None and found.squared_distance <= EXACT * found.squared_norm_a
    same = found.identical or same
    return replace(found, layout=layout, z=min(found.z, beyond), identical=same, spread=spread)


def _spread(one: Balanced) -> float:
    """Variance of the ln of the scales of rows and of columns, both together."""
    return float(np.var(one.rows) + np.var(one.columns))


def _ordered(values: FloatArray, matching: Matching) -> FloatArray:
    """In the order of the matched units, in the shape that ``values`` have."""
    cube = units.cube(values)[matching.rows][:, matching.columns]
    return np.ascontiguousarray(cube.reshape(values.shape))


def _best(one: _Matched, index: int, known: _Known) -> Matching:
    """The matrix's own matching, or one that takes over orders which are known from others."""
    x, y = one.x.values, one.y.values
    rows, columns = known.like(index, one.own.rows), known.like(index, one.own.columns)
    orders = [(r, c) for r in rows for c in columns]
    orders += [(r, units.columns_given(x, y, r)) for r in rows]
    orders += [(units.rows_given(x, y, c), c) for c in columns]
    tried = [one.own, *(Matching(r, c, units.cosine(x, y, r, c)) for r, c in orders)]
    return max(tried, key=lambda matching: matching.cosine)


def _share_scales(a: Reader, b: Reader, pairs: Sequence[TensorPair], known: _Known) -> None:
    """Add the scales that two vectors of one length tell."""
    held: dict[int, list[tuple[FloatArray, FloatArray]]] = defaultdict(list)
    for pair in pairs:
        if pair.size >= units.LEAST_AXIS:
            held[pair.size].append((whole(a, pair.name_a).reshape(-1), whole(b, pair.name_b).reshape(-1)))
    for size, vectors in held.items():
        orders = [np.arange(size), *(order for _, order in known.orders.get(size, []))]
        known.scales.setdefault(size, []).extend(shared_scales(vectors, orders))


def _vector(a: Reader, b: Reader, pair: TensorPair, as_is: TensorComparison, known: _Known) -> TensorComparison:
    """A bias or a scale in the order of one of the known axes, if that brings it nearer."""
    x, y = whole(a, pair.name_a), whole(b, pair.name_b)
    orders = [order for _, order in known.orders.get(x.size, [])]
    best = vector_like(x.reshape(-1), y.reshape(-1), orders, known.scales.get(x.size, []))
    if best is None:
        return as_is
    values = best.values.reshape(x.shape)
    found = compare_arrays(x, values, replace(pair, mean_b=float(values.mean())))
    same = best.layout != "units" and found.squared_distance <= EXACT * found.squared_norm_a
    return replace(found, layout=best.layout, identical=found.identical or same)
