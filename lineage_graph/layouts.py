"""How the same weights are laid out by another framework: transposed, axes in another order, gates in another order.

:data:`LAYOUTS` is one explicit list. Shapes say which entries are possible, and content decides among them: the layout
whose values agree best, if by more than the best of so many trials would by chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage_graph.types import FloatArray

Shape = tuple[int, ...]
Values = npt.NDArray[Any]

SAMPLE = 1 << 14
"""Elements on which layouts are compared: cosines of strangers then spread by 0.008 around 0."""

PART = 5
"""Of the sample one in so many values is looked at first; odd, so that these are not from a few columns alone."""

SURE = 6.0
"""Standard deviations by which the cosine of a part may fall short."""

LSTM_ORDERS = ("ifco", "icfo", "iofc", "ifoc", "cifo")
"""Orders of an LSTM's input, forget, cell and output gates: PyTorch, Keras and CuDNN; TensorFlow 1; ONNX; Core ML and
MXNet's fused cells; Chainer."""

GRU_ORDERS = ("zrh", "rzh")
"""Orders of a GRU's update, reset and candidate: Keras and ONNX; PyTorch and CuDNN."""

AXES = {
    "transposed": (1, 0),
    "kio to oik": (2, 1, 0),
    "iok to oik": (1, 0, 2),
    "oki to oik": (0, 2, 1),
    "hwio to oihw": (3, 2, 0, 1),
    "oihw to hwio": (2, 3, 1, 0),
    "whio to oihw": (3, 2, 1, 0),
    "iohw to oihw": (1, 0, 2, 3),
    "ohwi to oihw": (0, 3, 1, 2),
    "oihw to ohwi": (0, 2, 3, 1),
    "hwoi to oihw": (2, 3, 0, 1),
    "dhwio to oidhw": (4, 3, 0, 1, 2),
    "oidhw to dhwio": (2, 3, 4, 1, 0),
}
"""Orders of the axes, as for ``numpy.transpose``: linear layers, and convolutions in one, two and three dimensions (o:
output units, i: input units, the others in space; depthwise kernels are ``hwoi``)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """``fits(given, wanted)``: can values of shape ``given`` be laid out in shape ``wanted`` so? ``apply(values,
    wanted)`` does it. ``shortens``: several values become one, or some are left out, so that only the longer of two
    tensors can be laid out like the shorter.
    """

    name: str
    fits: Callable[[Shape, Shape], bool]
    apply: Callable[[Values, Shape], Values]
    shortens: bool = False


def _axes(name: str, order: tuple[int, ...]) -> Layout:
    def fits(given: Shape, wanted: Shape) -> bool:
        return len(given) == len(order) and tuple(given[axis] for axis in order) == wanted

    return Layout(name, fits, lambda values, _: values.transpose(order))


def _reshaped(given: Shape, wanted: Shape) -> bool:
    return len(given) != len(wanted) and math.prod(given) == math.prod(wanted)


def _orders(known: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Every way from one known order of gates to another: block k of the result is block ``order[k]``."""
    ways = {tuple(given.index(gate) for gate in wanted) for given in known for wanted in known}
    return sorted(ways - {tuple(range(len(known[0])))})


def _gates(order: tuple[int, ...], axis: int, transposed: bool) -> Layout:
    count = len(order)

    def fits(given: Shape, wanted: Shape) -> bool:
        if len(given) not in ((2,) if transposed or axis else (1, 2)) or len(given) != len(wanted):
            return False
        return (given[::-1] if transposed else given) == wanted and wanted[axis] % count == 0

    def apply(values: Values, _: Shape) -> Values:
        blocks = np.split(values.T if transposed else values, count, axis=axis)
        return np.concatenate([blocks[block] for block in order], axis=axis)

    name = f"gates {''.join(map(str, order))} of {'columns' if axis else 'rows'}"
    return Layout(f"transposed, {name}" if transposed else name, fits, apply)


def _gate_matrices(name: str, count: int, square: bool, change: Callable[[Values], Values]) -> Layout:
    """Each gate's own matrix, side by side along the last axis, is changed by itself."""

    def fits(given: Shape, wanted: Shape) -> bool:
        if len(given) != 2 or given != wanted or given[1] % count:
            return False
        return (given[0] == given[1] // count) is square

    def apply(values: Values, _: Shape) -> Values:
        return np.concatenate([change(gate) for gate in np.split(values, count, axis=1)], axis=1)

    return Layout(name, fits, apply)


def _part(index: int, count: int) -> Layout:
    def fits(given: Shape, wanted: Shape) -> bool:
        return bool(given) and given[0] == count * wanted[0] and given[1:] == wanted[1:]

    def apply(values: Values, wanted: Shape) -> Values:
        return values[index * wanted[0] : (index + 1) * wanted[0]]

    return Layout(f"part {index + 1} of {count}", fits, apply, shortens=True)


def _halves_fit(given: Shape, wanted: Shape) -> bool:
    return len(given) == len(wanted) == 1 and given[0] == 2 * wanted[0]


def _all() -> Iterator[Layout]:
    for name, order in AXES.items():
        yield _axes(name, order)
    yield Layout("reshaped", _reshaped, lambda values, wanted: values.reshape(wanted))
    yield Layout("transposed, reshaped", _reshaped, lambda values, wanted: values.T.reshape(wanted))
    for order in [*_orders(LSTM_ORDERS), *_orders(GRU_ORDERS)]:
        for axis, transposed in ((0, False), (-1, False), (0, True), (-1, True)):
            yield _gates(order, axis, transposed)
    # How Keras stores layers that ran on CuDNN: what is square is transposed, the rest is refolded as well.
    for count in (4, 3):
        yield _gate_matrices(f"{count} gate matrices transposed", count, True, lambda gate: gate.T)
        for fold in ("F", "C"):
            yield _gate_matrices(f"{count} gate matrices refolded ({fold})", count, False, _refolded(fold))
    for count in (2, 3):
        for index in range(count):
            yield _part(index, count)
    # CuDNN adds two biases where others have one: only their sum counts.
    yield Layout("halves added", _halves_fit, lambda values, wanted: values.reshape(2, *wanted).sum(0), shortens=True)


def _refolded(order: str) -> Callable[[Values], Values]:
    """The values of the transposed matrix in its old shape, filled column by column (F) or row by row (C)."""
    return lambda gate: np.reshape(gate.T, gate.shape, order="F" if order == "F" else "C")


LAYOUTS: tuple[Layout, ...] = tuple(_all())


@lru_cache(maxsize=1024)
def fitting(given: Shape, wanted: Shape) -> tuple[Layout, ...]:
    """The layouts in which ``given`` becomes ``wanted``; those that shorten, in either direction."""
    return tuple(
        layout for layout in LAYOUTS if layout.fits(given, wanted) or (layout.shortens and layout.fits(wanted, given))
    )


@cache
def compatible(given: Shape, wanted: Shape) -> bool:
    """Can the two shapes hold the same number of the same weights?"""
    return given == wanted or any(layout.fits(given, wanted) for layout in LAYOUTS if not layout.shortens)


def laid_out(a: FloatArray, b: FloatArray, layout: Layout) -> tuple[FloatArray, FloatArray]:
    """Both tensors in one shape: ``b`` laid out like ``a``, or ``a`` like ``b`` where a layout shortens ``a``."""
    if layout.shortens and a.size > b.size:
        return np.ascontiguousarray(layout.apply(a, b.shape)), b
    return a, np.ascontiguousarray(layout.apply(b, a.shape))


@dataclass(frozen=True, slots=True)
class Choice:
    """The best of ``tried`` layouts; ``cosine``: of the centred values of a sample, -1 to 1."""

    layout: Layout
    cosine: float
    tried: int


def choose(a: FloatArray, b: FloatArray, least: float = -1.0) -> Choice | None:
    """The layout in which ``b`` agrees best with ``a``; ``None`` where no other than the present one fits, or agrees
    to a cosine of ``least``: what a part of the sample leaves no chance for is not looked at further.
    """
    candidates = fitting(b.shape, a.shape)
    error = SURE / math.sqrt(min(a.size, SAMPLE) / PART)
    own = cache(lambda step: _centred(a.reshape(-1)[_places(a.size)[::step]]))
    cosines: dict[int, float] = {}
    for number, layout in enumerate(candidates):
        if error >= least or _cosine(*_sample(a, b, layout, PART, own)) + error >= least:
            cosines[number] = _cosine(*_sample(a, b, layout, 1, own))
    best = max(cosines, key=cosines.__getitem__, default=None)
    if best is None or cosines[best] < least:
        return None
    return Choice(candidates[best], cosines[best], len(candidates))


def _sample(
    a: FloatArray, b: FloatArray, layout: Layout, step: int, own: Callable[[int], _Centred]
) -> tuple[_Centred, _Centred]:
    """Values of both at the same places of their common layout, ``SAMPLE`` or less, or each ``step``-th of these.
    ``own``: those of ``a`` by step, where it is not laid out itself.
    """
    if layout.shortens:
        x, y = laid_out(a, b, layout)
        places = _places(x.size)[::step]
        return _centred(x.reshape(-1)[places]), _centred(y.reshape(-1)[places])
    return own(step), _centred(b.reshape(-1)[_sources(layout, b.shape, a.shape)[::step]])


@lru_cache(maxsize=64)
def _places(size: int) -> npt.NDArray[np.int64]:
    if size <= SAMPLE:
        return np.arange(size)
    return np.sort(np.random.default_rng(0).integers(size, size=SAMPLE))


@lru_cache(maxsize=512)
def _sources(layout: Layout, given: Shape, wanted: Shape) -> npt.NDArray[np.int64]:
    """Where the values at the sampled places come from; kept, since models of a zoo share their shapes."""
    numbers = np.arange(math.prod(given)).reshape(given)
    found: npt.NDArray[np.int64] = layout.apply(numbers, wanted).reshape(-1)[_places(numbers.size)]
    return found


_Centred = tuple[FloatArray, Any]
"""Values less their mean, shape (n,), and their norm."""


def _centred(values: FloatArray) -> _Centred:
    centred = values - values.mean()
    return centred, np.linalg.norm(centred)


def _cosine(x: _Centred, y: _Centred) -> float:
    scale = float(x[1] * y[1])
    return float(np.dot(x[0], y[0])) / scale if scale > 0 else 0.0


def best_of(z: float, tried: int) -> float:
    """What is left of a standard normal ``z`` that is the largest of ``tried``: Bonferroni's correction.

    By the tail's leading term exp(-z²/2): √(z² - 2 ln tried), 0 where nothing is left.
    """
    return math.sqrt(max(z * z - 2 * math.log(max(tried, 1)), 0.0)) if z > 0 else z
