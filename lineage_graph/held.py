"""Models that a worker holds between pairs, with what it has computed of one side of their comparisons.

Consecutive pairs share models (see :mod:`lineage_graph.locality`), and what is read and computed of a model by itself
is the same in all of them: its values as float32, their norms, its units, the ranks of its matrices. Two held models
give what reading both files in step gives, to the bit.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from lineage_graph.checkpoints import CHUNK, open_checkpoint
from lineage_graph.checkpoints.base import Reader
from lineage_graph.comparison import (
    Rows,
    TensorPair,
    agreement,
    chosen_units,
    compare_tensors,
    effective_rank,
    is_ranked,
    ratio,
)
from lineage_graph.errors import CorruptFileError
from lineage_graph.sketch import BLOCK
from lineage_graph.types import Checkpoint, FloatArray, TensorComparison

Made = TypeVar("Made")

HELD_BYTES = 256 << 20
"""What a worker keeps at most: some thirty models of half a million parameters."""

LARGEST_HELD = 1 << 22
"""Elements of a model up to which it is held; a larger one is read anew for each pair, a piece at a time."""

COPIES = 4
"""Times the bytes of its values that a held tensor takes with all that is made of them."""


@dataclass(frozen=True, slots=True)
class Side:
    """A checkpoint that is compared. ``digest``: of its bytes, so that a file that is written anew is read anew; empty
    where nothing of it is to be held.
    """

    path: str
    digest: str = ""

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Side:
        """A checkpoint that may be held."""
        return cls(checkpoint.path, checkpoint.digest)


class Tensor:
    """A tensor in memory. ``values``: float32, in its shape, C order; nobody changes them."""

    def __init__(self, values: FloatArray) -> None:
        self.values = values
        self.values.flags.writeable = False
        self._made: dict[Hashable, Any] = {}

    def once(self, what: Hashable, make: Callable[[FloatArray], Made]) -> Made:
        """What ``make`` gives of the values, made at the first call; ``what`` names it among all that is made."""
        if what not in self._made:
            self._made[what] = make(self.values)
        found: Made = self._made[what]
        return found

    @property
    def flat(self) -> FloatArray:
        """The values, shape (n,)."""
        return self.values.reshape(-1)

    @property
    def squares(self) -> float:
        """Σ x²."""
        return self.once("squares", lambda _: _inner(self.flat, self.flat))

    def centred(self, mean: float) -> tuple[FloatArray, float]:
        """X - mean, shape (n,), and Σ (x - mean)²."""

        def make(_: FloatArray) -> tuple[FloatArray, float]:
            centred = self.flat - np.float32(mean)
            return centred, _inner(centred, centred)

        return self.once(("centred", mean), make)

    def rows(self, pair: TensorPair) -> Rows:
        """Its units, as the permutation test takes them."""
        return self.once(("rows", pair.rows), lambda values: Rows.of(chosen_units(values, pair)))

    def rank(self, pair: TensorPair) -> float:
        """The effective rank of its units."""
        return self.once(("rank", pair.rows), lambda values: effective_rank(chosen_units(values, pair)))


def _inner(a: FloatArray, b: FloatArray) -> float:
    """The inner product of flat arrays, added up block by block as ``compare_tensors`` does."""
    total = 0.0
    for start in range(0, a.size, BLOCK):
        total += float(np.dot(a[start : start + BLOCK], b[start : start + BLOCK]))
    return total


class HeldModel:
    """The :class:`~lineage_graph.checkpoints.base.Reader` of a model whose real-valued tensors are in memory."""

    def __init__(self, reader: Reader, label: str) -> None:
        """Reads all of them. Raises :class:`~lineage_graph.errors.ModelError`."""
        self.format = reader.format
        self.counters: Mapping[str, float] = reader.counters
        self.architecture = reader.architecture
        self.tensors = tuple(spec for spec in reader.tensors if spec.floating)
        self._label = label
        self._held = {
            spec.name: Tensor(np.array(reader.read(spec.name), dtype=np.float32, order="C")) for spec in self.tensors
        }
        self.nbytes = COPIES * sum(one.values.nbytes for one in self._held.values())

    def tensor(self, name: str) -> Tensor:
        """The tensor of this name. Raises :class:`~lineage_graph.errors.CorruptFileError` where there is none."""
        if name not in self._held:
            raise CorruptFileError(f"{self._label}: there is no tensor {name!r}")
        return self._held[name]

    def read(self, name: str) -> FloatArray:
        """The values, which must not be changed."""
        return self.tensor(name).values

    def chunks(self, name: str) -> Iterator[FloatArray]:
        """The values in pieces."""
        flat = self.tensor(name).flat
        for start in range(0, flat.size, CHUNK):
            yield flat[start : start + CHUNK]

    def close(self) -> None:
        """There is nothing to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


_held: OrderedDict[str, HeldModel] = OrderedDict()


def opened(side: Side) -> Reader:
    """The checkpoint, held or, where it is large, open. Raises :class:`~lineage_graph.errors.ModelError`."""
    if side.digest in _held:
        _held.move_to_end(side.digest)
        return _held[side.digest]
    reader = open_checkpoint(Path(side.path))
    if not side.digest or sum(spec.size for spec in reader.tensors) > LARGEST_HELD:
        return reader
    with reader:
        found = _held[side.digest] = HeldModel(reader, side.path)
    total = sum(one.nbytes for one in _held.values())
    while total > HELD_BYTES:
        total -= _held.popitem(last=False)[1].nbytes
    return found


def compare(a: Reader, b: Reader, pair: TensorPair) -> TensorComparison:
    """See :func:`~lineage_graph.comparison.compare_tensors`; with what is known of both where both are held."""
    if not (isinstance(a, HeldModel) and isinstance(b, HeldModel)):
        return compare_tensors(a, b, pair)
    return _compare(a.tensor(pair.name_a), b.tensor(pair.name_b), pair)


def _compare(a: Tensor, b: Tensor, pair: TensorPair) -> TensorComparison:
    squared_distance = 0.0
    x, y = a.flat, b.flat
    for start in range(0, pair.size, BLOCK):
        difference = x[start : start + BLOCK] - y[start : start + BLOCK]
        squared_distance += float(np.dot(difference, difference))
    identical = not squared_distance > 0 and np.array_equal(x, y)
    (centred_a, squared_a), (centred_b, squared_b) = a.centred(pair.mean_a), b.centred(pair.mean_b)
    cosine = ratio(_inner(centred_a, centred_b), squared_a, squared_b)
    ranked = is_ranked(pair, cosine, identical)
    return TensorComparison(
        name_a=pair.name_a,
        name_b=pair.name_b,
        size=pair.size,
        rows=pair.rows,
        cosine=cosine,
        z=agreement(a.rows(pair), b.rows(pair)),
        squared_distance=squared_distance,
        squared_norm_a=a.squares,
        squared_norm_b=b.squares,
        identical=identical,
        rank_a=a.rank(pair) if ranked else math.nan,
        rank_b=b.rank(pair) if ranked else math.nan,
    )


def whole(reader: Reader, name: str) -> FloatArray:
    """A tensor's values as float32, in its shape; not to be changed. Raises as the reader does."""
    return np.asarray(reader.read(name), dtype=np.float32)


def derived(reader: Reader, name: str, what: Hashable, make: Callable[[FloatArray], Made]) -> Made:
    """What ``make`` gives of a tensor's values: once for a held model, which keeps it under ``what``."""
    if isinstance(reader, HeldModel):
        return reader.tensor(name).once(what, make)
    return make(whole(reader, name))
