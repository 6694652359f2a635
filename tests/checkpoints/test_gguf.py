"""GGUF: quantised blocks as the library unpacks them, both byte orders, headers that lie."""

import struct

import gguf
import numpy as np
import pytest

from checkpoints.samples import arrays, write_gguf
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import (
    CorruptFileError,
    LimitExceededError,
    MissingExtraError,
    TruncatedFileError,
    UnsupportedFormatError,
)

KINDS = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "BF16", "TQ1_0", "TQ2_0")


@pytest.mark.parametrize("name", KINDS)
def test_quantised_values(tmp_path, name, monkeypatch):
    kind = gguf.GGMLQuantizationType[name]
    values = np.random.default_rng(0).standard_normal((6, 512)).astype(np.float32)
    packed = gguf.quantize(values, kind)
    writer = gguf.GGUFWriter(tmp_path / "x", "llama")
    writer.add_tensor("w", packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    expected = gguf.dequantize(packed, kind)
    monkeypatch.setattr("lineage_graph.checkpoints.gguf.CHUNK", 1024)
    monkeypatch.setattr("lineage_graph.checkpoints.stored.CHUNK", 1024)
    with open_checkpoint(tmp_path / "x") as reader:
        spec = reader.tensors[0]
        assert (spec.shape, spec.dtype) == ((6, 512), "bfloat16" if name == "BF16" else name.lower())
        assert reader.architecture == "llama"
        np.testing.assert_array_equal(reader.read("w"), expected)
        pieces = [piece.copy() for piece in reader.chunks("w")]
        assert [piece.size for piece in pieces] == [1024, 1024, 1024]
        np.testing.assert_array_equal(np.concatenate(pieces), expected.reshape(-1))
        assert abs(reader.read("w") - values).mean() < 0.7


def test_big_endian(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "x", "llama", endianess=gguf.GGUFEndian.BIG)
    writer.add_tensor("w", np.arange(6, dtype=np.float32).reshape(2, 3))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with open_checkpoint(tmp_path / "x") as reader:
        assert reader.read("w").tolist() == [[0, 1, 2], [3, 4, 5]]


def header(tensors=0, fields=b"", field_count=0, version=3):
    return b"GGUF" + struct.pack("<IQQ", version, tensors, field_count) + fields


def text(value):
    return struct.pack("<Q", len(value)) + value


def array_field(kind, count, body=b""):
    return text(b"k") + struct.pack("<IIQ", 9, kind, count) + body


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (header(version=1), UnsupportedFormatError),
        (header(version=77), UnsupportedFormatError),
        (header(tensors=1 << 60), LimitExceededError),
        (header(field_count=1 << 60), LimitExceededError),
        (header(field_count=1, fields=struct.pack("<Q", 1 << 62)), LimitExceededError),
        (header(field_count=1, fields=array_field(0, 1 << 60)), TruncatedFileError),
        (header(field_count=1, fields=array_field(8, 1 << 60, text(b"a"))), LimitExceededError),
        (header(field_count=1, fields=array_field(9, 1 << 60, struct.pack("<IQ", 9, 1) * 9)), LimitExceededError),
        (header(field_count=1, fields=array_field(99, 1)), CorruptFileError),
        (header(field_count=1, fields=text(b"k") + struct.pack("<I", 99)), CorruptFileError),
        (header(field_count=1, fields=text(b"general.alignment") + struct.pack("<II", 4, 0)), CorruptFileError),
        (header(tensors=1, fields=text(b"w") + struct.pack("<I", 1 << 31)), LimitExceededError),
        (header(tensors=1, fields=text(b"w") + struct.pack("<IQIQ", 1, 4, 999, 0)), UnsupportedFormatError),
        (header(tensors=1, fields=text(b"w") + struct.pack("<IQIQ", 1, 33, 2, 0)), UnsupportedFormatError),
        (header(tensors=1, fields=text(b"w") + struct.pack("<IQIQ", 1, 1 << 62, 0, 0)), TruncatedFileError),
        (header(tensors=1, fields=text(b"w") + struct.pack("<IQIQ", 1, 4, 0, 1 << 62)), TruncatedFileError),
        (header(tensors=2, fields=(text(b"w") + struct.pack("<IQIQ", 1, 1, 0, 0)) * 2 + b"\0" * 64), CorruptFileError),
    ],
)
def test_headers_that_lie(tmp_path, data, error):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(error):
        open_checkpoint(tmp_path / "x")


def test_the_missing_library_is_named(tmp_path, monkeypatch):
    write_gguf(tmp_path / "x", arrays())
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lgraph\[gguf\]'"):
        open_checkpoint(tmp_path / "x")
