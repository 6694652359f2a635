"""safetensors: an 8-byte header length, a JSON header, one buffer (https://github.com/huggingface/safetensors).

The library of that name reads through a memory mapping, which stays resident; this reader needs positioned reads, so
it checks and uses the header itself.
"""

from __future__ import annotations

import math
from typing import Any, TypeGuard

from lineage_graph.checkpoints.base import Contents
from lineage_graph.checkpoints.counters import counters_in
from lineage_graph.checkpoints.dtypes import RAW
from lineage_graph.checkpoints.jsons import parse_object
from lineage_graph.checkpoints.limits import MAX_AXIS, MAX_HEADER_BYTES, MAX_RANK
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.stored import StoredTensor
from lineage_graph.errors import CorruptFileError, LimitExceededError, TruncatedFileError, UnsupportedFormatError

_DTYPES = {
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "BOOL": "bool",
    "BF16": "bfloat16",
    "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2": "float8_e5m2",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
}
_ARCHITECTURE_KEYS = ("architecture", "modelspec.architecture")


def looks_like_safetensors(head: bytes) -> bool:
    """Whether a file that starts with ``head`` (at least 9 bytes) is a safetensors file, sound or not."""
    return head[8:9] == b"{" and not (head[:8].isascii() and head[:8].decode("latin-1").isprintable())


def read_safetensors(source: ByteSource) -> Contents:
    """The index of a safetensors file.

    Raises LimitExceededError for an absurd header length, TruncatedFileError where the buffer is too short,
    CorruptFileError where the header breaks the format's rules.
    """
    length = int.from_bytes(source.head(8), "little")
    if length > MAX_HEADER_BYTES:
        raise LimitExceededError(f"{source.label}: the header claims {length} bytes, more than {MAX_HEADER_BYTES}")
    if 8 + length > source.size:
        raise TruncatedFileError(f"{source.label}: the header claims {length} bytes, the file has {source.size}")
    header = parse_object(source.read(8, length), f"{source.label}: the header")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise CorruptFileError(f"{source.label}: the header's __metadata__ is no table of strings")
    spans = {name: _entry(source.label, name, entry) for name, entry in header.items()}
    tensors = _locate(source, 8 + length, spans)
    architecture = next((metadata[key] for key in _ARCHITECTURE_KEYS if key in metadata), "")
    return Contents("safetensors", tensors, counters_in(metadata), architecture)


def _entry(label: str, name: str, entry: Any) -> tuple[int, int, str, tuple[int, ...]]:
    """Start, end, dtype and shape of one header entry."""
    label = f"{label}: tensor {name[:80]}"
    if not isinstance(entry, dict):
        raise CorruptFileError(f"{label}: its entry is no object")
    dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not _naturals(shape) or not _naturals(offsets) or len(offsets) != 2:
        raise CorruptFileError(f"{label}: its shape or its data_offsets are no list of natural numbers")
    if len(shape) > MAX_RANK or max((0, *shape)) > MAX_AXIS:
        raise LimitExceededError(f"{label}: {len(shape)} dimensions, or one that no file has")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise UnsupportedFormatError(f"{label}: dtype {str(dtype)[:20]} is not supported")
    expected = math.prod(shape) * RAW[_DTYPES[dtype]].itemsize
    if offsets[1] - offsets[0] != expected:
        raise CorruptFileError(f"{label}: {offsets[1] - offsets[0]} bytes for a shape that needs {expected}")
    return offsets[0], offsets[1], _DTYPES[dtype], tuple(shape)


def _naturals(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(number) is int and number >= 0 for number in value)


def _locate(
    source: ByteSource, base: int, spans: dict[str, tuple[int, int, str, tuple[int, ...]]]
) -> dict[str, StoredTensor]:
    """Tensors in the order of their bytes; the buffer must be covered without hole or overlap."""
    end = 0
    tensors = {}
    for name, (start, stop, dtype, shape) in sorted(spans.items(), key=lambda item: item[1][:2]):
        if start != end:
            raise CorruptFileError(
                f"{source.label}: tensor {name[:80]} starts at {start}, the one before ends at {end}"
            )
        end = stop
        window = source.window(base + start, stop - start, f"tensor {name[:80]}")
        tensors[name] = StoredTensor.checked(window, dtype, shape, math.prod(shape))
    if base + end != source.size:
        raise CorruptFileError(f"{source.label}: {source.size - base - end} bytes follow the last tensor")
    return tensors
