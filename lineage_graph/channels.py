"""Models from which hidden units were taken out: same layers, narrower. Which units are left, and do they agree?

Matrices of unequal shapes cannot be compared as they lie. Where the inputs of two layers are known to correspond, their
output units are matched by content; these are then the inputs of the layers that follow, and so on through the network.
A match is found on one half of the inputs and judged on the other: matching alone makes strangers look alike, but only
where it looked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage_graph.alignment import Alignment, Pair
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.comparison import TensorPair, compare_arrays, permutation_z
from lineage_graph.narrowed import fits
from lineage_graph.signals.base import LEAST_Z
from lineage_graph.signals.sparsity import CHANNELS
from lineage_graph.types import FloatArray, TensorComparison, TensorFingerprint

_PASSES = 2
"""Through the layers: the order of names is not always that of the network."""

Units = npt.NDArray[np.int64]


def compare(path_a: str, path_b: str, alignment: Alignment) -> tuple[TensorComparison, ...]:
    """Compare the pairs of ``narrowed.align``, each with the wider tensor's units left out that the narrower one lacks.

    What finds no units that fit is compared with the first ones, so with strangers. ``z`` is standard normal for
    strangers. Raises :class:`~lineage_graph.errors.ModelError`.
    """
    wide_first = all(fits(x, y) for x, y in alignment.pairs)
    pairs = alignment.pairs if wide_first else tuple((y, x) for x, y in alignment.pairs)
    paths = (path_a, path_b) if wide_first else (path_b, path_a)
    with open_checkpoint(Path(paths[0])) as wide, open_checkpoint(Path(paths[1])) as narrow:
        arrays = [(_read(wide, x), _read(narrow, y)) for x, y in pairs]
    cuts = find(arrays)
    return tuple(
        _compared(pair, cut, narrow, turned=not wide_first)
        for pair, cut, (_, narrow) in zip(pairs, cuts, arrays, strict=True)
    )


def _read(reader: Any, tensor: TensorFingerprint) -> FloatArray:
    return np.asarray(reader.read(tensor.spec.name), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Cut:
    """``values``: of the wider tensor, those that answer to the narrower one's, in its shape. ``z``: their agreement in
    standard deviations of strangers'; NaN where nothing was chosen by it, so that it can be had from the values.
    """

    values: FloatArray
    z: float = math.nan


def find(arrays: list[tuple[FloatArray, FloatArray]]) -> list[Cut]:
    """What is left of the wider tensor of each pair (wider, narrower), in the order of the network."""
    known = _Known()
    cuts: list[Cut | None] = [None] * len(arrays)
    matrices = [index for index, (a, _) in enumerate(arrays) if a.ndim >= 2]
    for _ in range(_PASSES):
        for index in matrices:
            cuts[index] = cuts[index] or _cut(*arrays[index], known)
    for index, (a, b) in enumerate(arrays):
        cuts[index] = cuts[index] or _best_known(a, b, known) or Cut(a[tuple(slice(size) for size in b.shape)])
    return [cut for cut in cuts if cut is not None]


@dataclass(frozen=True, slots=True)
class _Known:
    """Units that were found to be left: by how many there were and are, each way as an index array."""

    sets: dict[tuple[int, int], list[Units]] = field(default_factory=dict)

    def add(self, before: int, units: Units) -> None:
        ways = self.sets.setdefault((before, units.size), [])
        if before > units.size and not any(np.array_equal(units, way) for way in ways):
            ways.append(units)

    def ways(self, before: int, after: int) -> Iterator[Units]:
        """Ways to get from ``before`` units to ``after``; also of units with several places each (a flattened map)."""
        if before == after:
            yield np.arange(before)
            return
        for (wide, narrow), ways in self.sets.items():
            places = before // wide
            if wide * places == before and narrow * places == after:
                for way in ways:
                    yield (way[:, None] * places + np.arange(places)).reshape(-1)


def _cut(a: FloatArray, b: FloatArray, known: _Known) -> Cut | None:
    """The units of a matrix that agree best, known ones or matched by one known side; ``None`` where none agree."""
    found = _best_known(a, b, known)
    if a.shape == b.shape:
        return found
    ways = _matches(a, b, known)
    if found is not None:
        # Another layer's units may be some of the right ones by chance, so they have to agree best, not just beyond it.
        ways.append((permutation_z(_rows(found.values), _rows(b)), 0, None, found.values))
    z, axis, units, values = max(ways, key=lambda way: way[0], default=(0.0, 0, None, a))
    if z < LEAST_Z + math.sqrt(2 * math.log(max(len(ways), 1))):
        return None
    if units is not None:
        known.add(a.shape[axis], units)
    return Cut(values, z)


def _matches(a: FloatArray, b: FloatArray, known: _Known) -> list[tuple[float, int, Units | None, FloatArray]]:
    """(z, axis, units, values): the units along one axis, for each known way to cut the other."""
    found: list[tuple[float, int, Units | None, FloatArray]] = []
    for axis in (axis for axis in (1, 0) if a.shape[1 - axis] > b.shape[1 - axis]):
        for way in known.ways(a.shape[axis], b.shape[axis]):
            half = np.take(a, way, axis=axis)
            units, z = _matched(np.moveaxis(half, 1 - axis, 0), np.moveaxis(b, 1 - axis, 0))
            found.append((z, 1 - axis, units, np.take(half, units, axis=1 - axis)))
    return found


def _best_known(a: FloatArray, b: FloatArray, known: _Known) -> Cut | None:
    """The tensor cut to units that are known already, the nearest of the possible ways."""
    values = [a]
    for axis in range(min(a.ndim, 2)):
        values = [np.take(v, way, axis=axis) for v in values for way in known.ways(a.shape[axis], b.shape[axis])]
    best = min(values, key=lambda v: float(np.sum((v - b) ** 2)), default=None)
    return None if best is None else Cut(best)


def _matched(a: FloatArray, b: FloatArray) -> tuple[Units, float]:
    """For each unit of ``b`` (m', …) the unit of ``a`` (m, …) that it is, and how far the two agree where it was not
    looked for. All inputs take part in the final match, where there is agreement.

    The halves are whole inputs, since neighbouring places of one kernel say nearly the same.
    """
    x, y = _rows(a), _rows(b)
    half = x.shape[1] // 2
    units = _assigned(x[:, :half], y[:, :half])
    z = permutation_z(x[units, half:], y[:, half:])
    return (_assigned(x, y) if z >= LEAST_Z else units), float(z)


def _rows(values: FloatArray) -> FloatArray:
    return values.reshape(values.shape[0], -1)


def _assigned(x: FloatArray, y: FloatArray) -> Units:
    """The assignment of largest total cosine, rows of ``y`` to rows of ``x``."""
    from scipy.optimize import linear_sum_assignment

    unit_x, unit_y = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30) for rows in (x, y))
    return np.asarray(linear_sum_assignment(unit_y @ unit_x.T, maximize=True)[1], dtype=np.int64)


def _compared(pair: Pair, cut: Cut, narrow: FloatArray, *, turned: bool) -> TensorComparison:
    """The comparison of what is left; ``turned``: the narrower side is the pair's a."""
    sides = (narrow, cut.values) if turned else (cut.values, narrow)
    first, second = reversed(pair) if turned else pair
    rows = next((size for size in narrow.shape if size > 1), 1) if first.is_matrix and second.is_matrix else 0
    mean_a, mean_b = (float(np.mean(side)) for side in sides)
    line = TensorPair(first.spec.name, second.spec.name, narrow.size, rows, mean_a, mean_b)
    found = compare_arrays(*sides, line)
    z = found.z if math.isnan(cut.z) else cut.z
    return replace(found, z=z, layout=CHANNELS if first.spec.shape != second.spec.shape else "")
