"""GGUF (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): quantised values by the library, index by us.

The library's own reader loops without end over some damaged files, builds objects for every word of a vocabulary and
maps the whole file; the index is short, so it is read here.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage_graph.checkpoints.base import CHUNK, Contents, Values
from lineage_graph.checkpoints.extras import require
from lineage_graph.checkpoints.limits import MAX_HEADER_BYTES, MAX_NAME, MAX_RANK, MAX_TENSORS
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.stored import StoredTensor
from lineage_graph.errors import CorruptFileError, LimitExceededError, TruncatedFileError, UnsupportedFormatError
from lineage_graph.types import FloatArray

MAGIC = b"GGUF"
_SCALARS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_PLAIN = {
    "BF16": "bfloat16",
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
}
_ALIGNMENT = 32
_NESTING = 4


def read_gguf(source: ByteSource) -> Contents:
    """The index of a GGUF file, versions 2 and 3, either byte order; shapes in numpy's order (slowest axis first).

    Raises MissingExtraError, TruncatedFileError, CorruptFileError, LimitExceededError, UnsupportedFormatError.
    """
    library = require("gguf", "gguf", source.label)
    with source.stream() as stream:
        index = _Index(stream, source)
        version, tensor_count, field_count = index.number("I"), index.number("Q"), index.number("Q")
        if version not in (2, 3):
            raise UnsupportedFormatError(f"{source.label}: GGUF version {version} is not supported")
        if tensor_count > MAX_TENSORS or field_count > MAX_TENSORS:
            raise LimitExceededError(f"{source.label}: {tensor_count} tensors and {field_count} fields are too many")
        fields = {index.text(): index.value() for _ in range(field_count)}
        entries = [index.tensor() for _ in range(tensor_count)]
        start = stream.tell()
    alignment = fields.get("general.alignment", _ALIGNMENT)
    if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
        raise CorruptFileError(f"{source.label}: general.alignment is no power of two")
    start = -(-start // alignment) * alignment
    tensors: dict[str, Values] = {}
    for entry in entries:
        if entry.name in tensors:
            raise CorruptFileError(f"{source.label}: two tensors are named {entry.name[:80]!r}")
        tensors[entry.name] = _tensor(library, source, entry, start, swapped=index.order == ">")
    return Contents("gguf", tensors, {}, str(fields.get("general.architecture") or ""))


@dataclass(frozen=True, slots=True)
class _Entry:
    """A tensor's description: ``kind`` is the number of its type, ``offset`` counts from the data's start."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int


class _Index:
    """A cursor over the header."""

    def __init__(self, stream: io.BufferedReader, source: ByteSource) -> None:
        self._stream, self._source = stream, source
        stream.seek(len(MAGIC))
        self.order = ">" if stream.peek(2)[:2] == b"\0\0" else "<"

    def bytes(self, count: int) -> bytes:
        """The next bytes."""
        if count > MAX_HEADER_BYTES:
            raise LimitExceededError(f"{self._source.label}: an entry of {count} bytes in the header")
        data = self._stream.read(count)
        if len(data) < count:
            raise TruncatedFileError(f"{self._source.label}: the file ends within the header")
        return data

    def number(self, kind: str) -> Any:
        """The next scalar."""
        return struct.unpack(self.order + kind, self.bytes(struct.calcsize("<" + kind)))[0]

    def text(self) -> str:
        """The next string."""
        return self.bytes(self.number("Q")).decode("utf-8", "replace")

    def value(self) -> Any:
        """The next metadata value; arrays (vocabularies) are passed over and give ``None``."""
        kind = self.number("I")
        if kind == _ARRAY:
            return self._skip_array(_NESTING)
        if kind == _STRING:
            return self.text()
        return self.number(self._scalar(kind))

    def tensor(self) -> _Entry:
        """The next tensor's description."""
        name, rank = self.text(), self.number("I")
        if rank > MAX_RANK or len(name) > MAX_NAME:
            raise LimitExceededError(f"{self._source.label}: a tensor of {rank} axes, name of {len(name)} characters")
        shape = tuple(self.number("Q") for _ in range(rank))[::-1]
        return _Entry(name, shape, self.number("I"), self.number("Q"))

    def _scalar(self, kind: int) -> str:
        if kind not in _SCALARS:
            raise CorruptFileError(f"{self._source.label}: metadata type {kind} is unknown")
        return _SCALARS[kind]

    def _skip_array(self, nesting: int) -> None:
        kind, count = self.number("I"), self.number("Q")
        if kind == _ARRAY:
            if nesting == 0:
                raise LimitExceededError(f"{self._source.label}: metadata arrays nest deeper than {_NESTING}")
            for _ in range(count):
                self._skip_array(nesting - 1)
        elif kind == _STRING:
            for _ in range(count):
                self._skip(self.number("Q"))
        else:
            self._skip(count * struct.calcsize("<" + self._scalar(kind)))

    def _skip(self, count: int) -> None:
        if self._stream.tell() + count > self._source.size:
            raise TruncatedFileError(f"{self._source.label}: the file ends within the header")
        self._stream.seek(count, io.SEEK_CUR)


def _tensor(library: Any, source: ByteSource, entry: _Entry, start: int, swapped: bool) -> Values:
    what = f"tensor {entry.name[:80]}"
    label, shape, offset = f"{source.label}: {what}", entry.shape, start + entry.offset
    try:
        kind = library.GGMLQuantizationType(entry.kind)
    except ValueError as error:
        raise UnsupportedFormatError(f"{label}: type {entry.kind} is unknown to the gguf library") from error
    size = math.prod(shape)
    if kind.name in _PLAIN:
        dtype = _PLAIN[kind.name]
        itemsize = 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
        data = source.window(offset, size * itemsize, what, label)
        return StoredTensor.checked(data, dtype, shape, size, swapped=swapped)
    block, width = library.constants.GGML_QUANT_SIZES[kind]
    if swapped or not shape or shape[-1] % block or CHUNK % block:
        raise UnsupportedFormatError(f"{label}: {kind.name} blocks of shape {shape} cannot be unpacked")
    data = source.window(offset, size // block * width, what, label)
    return _QuantizedTensor(library, data, kind, shape, kind.name.lower(), block, width)


@dataclass(frozen=True, slots=True, eq=False)
class _QuantizedTensor:
    """Blocks of ``block`` elements in ``width`` bytes, dequantised by the library."""

    library: Any
    source: ByteSource
    kind: Any
    shape: tuple[int, ...]
    dtype: str
    block: int
    width: int

    def read(self) -> npt.NDArray[Any]:
        """The dequantised values as float32."""
        values = np.empty(math.prod(self.shape), np.float32)
        for start, piece in zip(range(0, values.size, CHUNK), self.pieces(), strict=True):
            values[start : start + piece.size] = piece
        return values.reshape(self.shape)

    def pieces(self) -> Iterator[FloatArray]:
        """``CHUNK`` elements at a time, which is a whole number of blocks."""
        size = math.prod(self.shape)
        for start in range(0, size, CHUNK):
            count = min(CHUNK, size - start) // self.block
            raw = np.frombuffer(self.source.read(start // self.block * self.width, count * self.width), np.uint8)
            yield self.library.dequantize(raw, self.kind).astype(np.float32, copy=False)
