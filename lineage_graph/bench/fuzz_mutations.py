"""From a kind of file and a number to one mutated input; the same number gives the same bytes."""

from __future__ import annotations

import random
import struct
import zipfile
import zlib
from collections.abc import Mapping

from lineage_graph.bench import fuzz_formats as formats
from lineage_graph.bench.fuzz_formats import Mutation

_TORCH_ZIP = formats.zipped({".pkl": formats.pickled})
_NPZ = formats.zipped({".npy": formats.npy})

STRUCTURED: Mapping[str, Mutation] = {
    "safetensors": formats.safetensors,
    "torch zip": _TORCH_ZIP,
    "torch zip, deflated": _TORCH_ZIP,
    "torch legacy": formats.legacy,
    "torch tar": formats.tar,
    "pickle": formats.pickled,
    "agent": formats.zipped({"data": formats.json_text, ".pth": _TORCH_ZIP}),
    "npy": formats.npy,
    "npz": _NPZ,
    "npz, deflated": _NPZ,
    "keras": formats.hdf5,
    "keras, packed": formats.hdf5,
    "keras archive": formats.zipped({".json": formats.json_text, ".h5": formats.hdf5}),
    "onnx": formats.protobuf,
    "onnx, external": formats.protobuf,
    "gguf": formats.gguf,
    "shard index": formats.json_text,
}
"""The mutation that knows the format, for each kind of sample."""

_DAMAGE = (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, RuntimeError)
_PACKED = (struct.error, zipfile.BadZipFile, zlib.error, EOFError)
"""What a mutation that knows the format may meet in a file that is no longer in that format."""


def mutate(kind: str, data: bytes, rng: random.Random) -> bytes:
    """One to four mutations in a row: mostly such as know the format, else blind ones."""
    for _ in range(rng.choice((1, 1, 2, 3, 4))):
        if rng.random() < 0.85:
            try:
                data = STRUCTURED[kind](data, rng) or data
            except (*_DAMAGE, *_PACKED):
                data = _blind(data, rng)
        else:
            data = _blind(data, rng)
    return data


def _blind(data: bytes, rng: random.Random) -> bytes:
    """Cut, flipped, overwritten, or with a stretch of it exchanged, doubled or filled."""
    at = rng.randrange(len(data)) if data else 0
    other = rng.randrange(len(data)) if data else 0
    start, stop = sorted((at, other))
    choice = rng.randrange(6)
    if choice == 0 or len(data) < 16:
        return data[:at]
    if choice == 1:
        return formats.overwrite(data, at, min(8, len(data) - at), rng)
    if choice == 2:
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    if choice == 3:
        return data[:start] + data[start:stop][:4096] + data[start:]
    if choice == 4:
        return data[stop:] + data[start:stop] + data[:start]
    return data[:start] + bytes([rng.choice((0, 255))]) * min(64, stop - start) + data[min(stop, start + 64) :]
