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
from lineage_graph.checkpoints.limits import (
    MAX_AXIS,
    MAX_HEADER_BYTES,
    MAX_KEY,
    MAX_NAME,
    MAX_RANK,
    MAX_TENSORS,
    MAX_WORDS,
)
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.stored import StoredTensor, check_sharing
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
_WANTED = ("general.alignment", "general.architecture")
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
        fields = index.fields(field_count)
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
    check_sharing(source.label, tensors.values(), source.size)
    return Contents("gguf", tensors, {}, str(fields.get("general.architecture") or "")[:80])


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
        self._words = 0
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

    def text(self, most: int) -> str:
        """The next string, of at most ``most`` bytes."""
        size = self.number("Q")
        if size > most:
            raise LimitExceededError(f"{self._source.label}: a name or a word of {size} bytes, more than {most}")
        return self.bytes(size).decode("utf-8", "replace")

    def fields(self, count: int) -> dict[str, Any]:
        """The next ``count`` metadata fields, of which only ``_WANTED`` are kept: a vocabulary is megabytes."""
        found: dict[str, Any] = {}
        for _ in range(count):
            name, kind = self.text(MAX_KEY), self.number("I")
            if name in found:
                raise CorruptFileError(f"{self._source.label}: the field {name!r} occurs twice")
            if kind == _ARRAY:
                self._skip_array(_NESTING)
            elif kind == _STRING and name not in _WANTED:
                self._skip(self.number("Q"))
            else:
                value = self.text(MAX_KEY) if kind == _STRING else self.number(self._scalar(kind))
                if name in _WANTED:
                    found[name] = value
        return found

    def tensor(self) -> _Entry:
        """The next tensor's description."""
        name, rank = self.text(4 * MAX_NAME), self.number("I")
        if rank > MAX_RANK:
            raise LimitExceededError(f"{self._source.label}: tensor {name[:80]!r} of {rank} axes, more than {MAX_RANK}")
        shape = tuple(self.number("Q") for _ in range(rank))[::-1]
        if max(shape, default=0) > MAX_AXIS:
            raise LimitExceededError(f"{self._source.label}: tensor {name[:80]!r} has an axis that no file holds")
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
            self._count_words(count)
            for _ in range(count):
                self._skip_array(nesting - 1)
        elif kind == _STRING:
            self._count_words(count)
            for _ in range(count):
                self._skip(self.number("Q"))
        else:
            self._skip(count * struct.calcsize("<" + self._scalar(kind)))

    def _count_words(self, count: int) -> None:
        self._words += count
        if self._words > MAX_WORDS:
            raise LimitExceededError(f"{self._source.label}: {self._words} words in the header, more than {MAX_WORDS}")

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
