"""ONNX initializers (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), in the file or in files beside it.

The library parses whole models into memory; raw values are therefore located by their position in the file, and only
the rare typed or packed ones go through the library.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lineage_graph.checkpoints.base import Contents, Values
from lineage_graph.checkpoints.dtypes import RAW
from lineage_graph.checkpoints.extras import require
from lineage_graph.checkpoints.inside import file_inside
from lineage_graph.checkpoints.limits import MAX_NAME, MAX_RANK, MAX_TYPED_BYTES
from lineage_graph.checkpoints.protobuf import BYTES, VARINT, Field, Message
from lineage_graph.checkpoints.source import ByteSource, open_source
from lineage_graph.checkpoints.stored import StoredTensor, check_layout, check_sharing, pieces_of
from lineage_graph.errors import CheckpointError, CorruptFileError, LimitExceededError, TruncatedFileError
from lineage_graph.types import FloatArray

_GRAPH, _OPSETS = 7, 8
_INITIALIZER = 5
_DIMS, _TYPE, _FLOATS, _NAME, _RAW, _DOUBLES, _EXTERNAL, _LOCATION = 1, 2, 4, 8, 9, 10, 13, 14
_TEXT = 8
_DTYPES = dict(
    enumerate(
        (
            *("", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16"),
            *("float64", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8_e4m3fn"),
            *("float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "uint4", "int4", "float4_e2m1"),
            *("float8_e8m0fnu", "uint2", "int2"),
        )
    )
)
"""TensorProto.DataType by number."""


@dataclass
class _Tensor:
    """The parts of a TensorProto, still unread; ``message`` is the whole of it."""

    message: Field
    name: str = ""
    kind: int = 0
    shape: list[int] = field(default_factory=list)
    raw: Field | None = None
    typed: Field | None = None
    external: dict[str, str] = field(default_factory=dict)
    outside: bool = False


def looks_like_onnx(source: ByteSource) -> bool:
    """Whether the bytes parse as a ModelProto: an IR version first, and fields of known numbers to the end."""
    if source.head(1) != b"\x08":
        return False
    try:
        with source.stream() as stream:
            fields = list(zip(range(100), Message(stream, 0, source.size, source.label), strict=False))
    except TruncatedFileError:
        return source.size > 2 and source.head(3)[2:] in (b"\x12", b"\x3a")
    except CheckpointError:
        return False
    return any(found.number == _GRAPH and found.wire == BYTES for _, found in fields)


def read_onnx(source: ByteSource, path: Path | None, resources: ExitStack) -> Contents:
    """The index of a model's initializers. ``path``: the model's file; external data must lie in its folder.

    Raises MissingExtraError, TruncatedFileError, CorruptFileError, LimitExceededError.
    """
    tensors: dict[str, Values] = {}
    files: dict[str, ByteSource] = {}
    for entry in _initializers(source):
        if entry.kind == _TEXT:
            continue
        if not entry.name or entry.name in tensors:
            raise CorruptFileError(f"{source.label}: two initializers, or a nameless one: {entry.name[:80]!r}")
        if entry.outside:
            tensors[entry.name] = _outside(source.label, entry, path, files, resources)
        else:
            tensors[entry.name] = _inside(source, entry)
    check_sharing(source.label, tensors.values(), source.size + sum(file.size for file in files.values()))
    return Contents("onnx", tensors)


def external_files(source: ByteSource, path: Path) -> set[Path]:
    """The files beside the model that hold its initializers. Raises as :func:`read_onnx`."""
    places = {entry.external.get("location", "") for entry in _initializers(source) if entry.outside}
    return {file_inside(path.parent, place, source.label) for place in places}


def _initializers(source: ByteSource) -> list[_Tensor]:
    with source.stream() as stream:
        model = Message(stream, 0, source.size, source.label)
        fields = [found for found in model if found.number in (_GRAPH, _OPSETS) and found.wire == BYTES]
        if not any(found.number == _OPSETS for found in fields):
            raise TruncatedFileError(f"{source.label}: the model ends before its operator sets")
        entries = []
        for graph in (found for found in fields if found.number == _GRAPH):
            inner = model.inner(graph)
            entries += [
                _parse(inner, found, source.label)
                for found in inner
                if (found.number, found.wire) == (_INITIALIZER, BYTES)
            ]
        return entries


def _parse(graph: Message, message: Field, label: str) -> _Tensor:
    entry = _Tensor(message)
    proto = graph.inner(message)
    for found in proto:
        if found.number == _DIMS:
            entry.shape += [found.value] if found.wire == VARINT else proto.varints(found, MAX_RANK)
            if len(entry.shape) > MAX_RANK:
                raise LimitExceededError(f"{label}: an initializer of more than {MAX_RANK} dimensions")
        elif found.number == _TYPE:
            entry.kind = found.value
        elif found.number == _NAME and found.size <= 4 * MAX_NAME:
            entry.name = proto.bytes(found).decode("utf-8", "replace")
        elif found.number == _RAW and found.wire == BYTES:
            entry.raw = found
        elif found.number in (_FLOATS, _DOUBLES) and found.wire == BYTES:
            entry.typed = found
        elif found.number == _EXTERNAL and found.size <= 4 * MAX_NAME:
            pair = proto.inner(found)
            texts = {part.number: proto.bytes(part).decode("utf-8", "replace") for part in pair}
            entry.external[texts.get(1, "")] = texts.get(2, "")
        elif found.number == _LOCATION:
            entry.outside = found.value == 1
    return entry


def _inside(source: ByteSource, entry: _Tensor) -> Values:
    label = f"{source.label}: initializer {entry.name[:80]}"
    dtype, shape = _DTYPES.get(entry.kind, f"type {entry.kind}"), tuple(entry.shape)
    size = math.prod(shape)
    values = entry.raw or entry.typed
    needed = size * RAW[dtype].itemsize if dtype in RAW else 0
    if needed and values is not None and values.size == needed:
        return StoredTensor.checked(source.window(values.start, needed, "it", label), dtype, shape, size)
    if needed and entry.raw is not None:
        raise CorruptFileError(f"{label}: {entry.raw.size} bytes for a shape that needs {needed}")
    library = require("onnx", "onnx", source.label)
    # Two bits an element is the densest packing that ONNX has.
    check_layout(label, shape, 4 * entry.message.size, 0, None)
    if entry.message.size > MAX_TYPED_BYTES:
        raise LimitExceededError(f"{label}: {entry.message.size} bytes of typed values")
    return _TypedTensor(library, source.window(entry.message.start, entry.message.size, "it", label), shape, dtype)


def _outside(
    label: str, entry: _Tensor, path: Path | None, files: dict[str, ByteSource], resources: ExitStack
) -> StoredTensor:
    what = f"initializer {entry.name[:80]}"
    location, dtype, shape = entry.external.get("location", ""), _DTYPES.get(entry.kind, "?"), tuple(entry.shape)
    if path is None:
        raise CorruptFileError(f"{label}: {what} lies in another file")
    if location not in files:
        files[location], handle = open_source(file_inside(path.parent, location, label))
        resources.callback(handle.close)
    data = files[location]
    try:
        offset = int(entry.external.get("offset", "0"))
        length = int(entry.external.get("length", data.size - offset))
    except ValueError as error:
        raise CorruptFileError(f"{label}: {what} has an offset or a length that is no number") from error
    needed = math.prod(shape) * RAW[dtype].itemsize if dtype in RAW else length
    if length != needed:
        raise CorruptFileError(f"{label}: {what} needs {needed} bytes, its entry claims {length}")
    return StoredTensor.checked(data.window(offset, length, what), dtype, shape, math.prod(shape))


@dataclass(frozen=True, slots=True, eq=False)
class _TypedTensor:
    """An initializer whose values are typed fields or packed bits: the library knows them."""

    library: Any
    source: ByteSource
    shape: tuple[int, ...]
    dtype: str

    def read(self) -> npt.NDArray[Any]:
        """The values; element types that numpy lacks as float32, and integers of less than a byte as int8."""
        proto = self.library.TensorProto.FromString(self.source.read(0, self.source.size))
        values = np.asarray(self.library.numpy_helper.to_array(proto))
        if values.dtype.kind in "biufc" and values.dtype.name in RAW:
            return values
        return values.astype(np.int8 if "int" in self.dtype else np.float32)

    def pieces(self) -> Iterator[FloatArray]:
        """Pieces of the whole."""
        return pieces_of(self.read())
