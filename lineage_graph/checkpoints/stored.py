"""A tensor whose raw elements lie somewhere in a file: read whole, or in pieces of constant memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from lineage_graph.checkpoints.base import CHUNK, Values
from lineage_graph.checkpoints.dtypes import RAW, decode
from lineage_graph.checkpoints.limits import MAX_EXPANDED, MAX_RANK, MAX_SHARING, SHARING_FREE
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.errors import CorruptFileError, LimitExceededError, UnsupportedFormatError
from lineage_graph.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """A tensor in ``source``: ``offset`` and ``strides`` count elements, ``strides`` is ``None`` for plain C order.

    ``swapped``: the bytes are big-endian. Build one with :meth:`checked`.
    """

    source: ByteSource
    dtype: str
    shape: tuple[int, ...]
    offset: int = 0
    strides: tuple[int, ...] | None = None
    swapped: bool = False

    @classmethod
    def checked(
        cls,
        source: ByteSource,
        dtype: str,
        shape: tuple[int, ...],
        elements: int,
        *,
        offset: int = 0,
        strides: tuple[int, ...] | None = None,
        swapped: bool = False,
    ) -> Self:
        """A tensor that provably stays within the ``elements`` of its storage. Complex ones get a last axis of 2.

        Raises CorruptFileError where it would reach outside, UnsupportedFormatError for an unknown dtype,
        LimitExceededError where it repeats a small storage too often.
        """
        if dtype not in RAW:
            raise UnsupportedFormatError(f"{source.label}: tensors of type {dtype} are not supported")
        strides = None if strides is None or strides == c_strides(shape) else strides
        check_layout(source.label, shape, elements, offset, strides)
        if dtype.startswith("complex"):
            dtype = "float32" if dtype == "complex64" else "float64"
            strides = None if strides is None else (*(2 * stride for stride in strides), 1)
            shape, offset = (*shape, 2), 2 * offset
        return cls(source, dtype, shape, offset, strides, swapped)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def reach(self) -> int:
        """Number of elements from the first to the last, which are read to have its own."""
        if self.strides is None or not self.size:
            return self.size
        return sum((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True)) + 1

    def read(self) -> npt.NDArray[Any]:
        """The values in their shape, C order."""
        if self.strides is None:
            raw = self._elements(self.offset, self.size).reshape(self.shape)
        else:
            span = self._elements(self.offset, self.reach)
            steps = [stride * span.itemsize for stride in self.strides]
            raw = np.ascontiguousarray(np.lib.stride_tricks.as_strided(span, self.shape, steps))
        return decode(raw, self.dtype)

    def pieces(self) -> Iterator[FloatArray]:
        """The values as flat float32 pieces of ``CHUNK`` elements in C order, each valid until the next."""
        if self.strides is not None:
            yield from pieces_of(self.read())
            return
        raw = np.empty(min(CHUNK, self.size), self._raw)
        for start in range(0, self.size, CHUNK):
            part = raw[: min(CHUNK, self.size - start)]
            self.source.readinto((self.offset + start) * raw.itemsize, part.view(np.uint8).data)
            yield decode(part, self.dtype).astype(np.float32, copy=False)

    def part(self, start: int, count: int) -> FloatArray:
        """``count`` values from ``start`` on, in C order, as float32; in plain C order no others are read."""
        if self.strides is not None:
            return self.read().reshape(-1)[start : start + count].astype(np.float32)
        return decode(self._elements(self.offset + start, count), self.dtype).astype(np.float32, copy=False)

    @property
    def _raw(self) -> np.dtype[Any]:
        return RAW[self.dtype].newbyteorder(">") if self.swapped else RAW[self.dtype]

    def _elements(self, start: int, count: int) -> npt.NDArray[Any]:
        raw = np.empty(count, self._raw)
        self.source.readinto(start * raw.itemsize, raw.view(np.uint8).data)
        return raw


def c_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Element strides of a C-ordered array."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def fortran_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Element strides of a Fortran-ordered array."""
    return tuple(math.prod(shape[:axis]) for axis in range(len(shape)))


def check_layout(
    label: str, shape: tuple[int, ...], elements: int, offset: int, strides: tuple[int, ...] | None
) -> None:
    """Hold a tensor to the ``elements`` of its storage; raises as :meth:`StoredTensor.checked` says."""
    if len(shape) > MAX_RANK:
        raise LimitExceededError(f"{label}: a tensor has {len(shape)} dimensions, more than {MAX_RANK}")
    if min((*shape, *(strides or ()), offset)) < 0 or (strides is not None and len(strides) != len(shape)):
        raise CorruptFileError(f"{label}: impossible tensor layout, shape {shape}, strides {strides}, offset {offset}")
    size = math.prod(shape)
    reach = size
    if size and strides is not None:
        reach = sum((n - 1) * step for n, step in zip(shape, strides, strict=True)) + 1
    if offset + reach > elements:
        raise CorruptFileError(f"{label}: a tensor of shape {shape} reaches beyond its storage of {elements} elements")
    if size > max(elements, MAX_EXPANDED):
        raise LimitExceededError(f"{label}: a tensor of shape {shape} repeats a storage of {elements} elements")


def check_sharing(label: str, tensors: Iterable[Values], stored: int) -> None:
    """Raises LimitExceededError where the tensors together would read the ``stored`` bytes too many times over: ten
    thousand views of one storage would make a small file the work of a day.
    """
    read = sum(max(math.prod(t.shape), t.reach if isinstance(t, StoredTensor) else 0) for t in tensors)
    if read > max(SHARING_FREE, MAX_SHARING * stored):
        raise LimitExceededError(f"{label}: its tensors read {read} elements out of {stored} bytes")


def pieces_of(values: npt.NDArray[Any]) -> Iterator[FloatArray]:
    """An array in memory as flat float32 pieces of ``CHUNK`` elements."""
    flat = values.reshape(-1)
    for start in range(0, flat.size, CHUNK):
        yield flat[start : start + CHUNK].astype(np.float32, copy=False)
