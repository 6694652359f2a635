"""The safetensors header is held to the letter of the format."""

import json
import struct

import numpy as np
import pytest

from checkpoints.samples import arrays, torch_state, write_safetensors
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import (
    CorruptFileError,
    LimitExceededError,
    NoWeightsError,
    TruncatedFileError,
    UnsupportedFormatError,
)


def build(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    ("header", "data", "error", "words"),
    [
        ({"a": entry(offsets=(0, 4))}, b"\0" * 4, CorruptFileError, "needs 8"),
        ({"a": entry(offsets=(8, 0))}, b"\0" * 8, CorruptFileError, "needs 8"),
        ({"a": entry(), "b": entry(offsets=(4, 12))}, b"\0" * 12, CorruptFileError, "starts at 4"),
        ({"a": entry(), "b": entry(offsets=(0, 8))}, b"\0" * 8, CorruptFileError, "starts at 0"),
        ({"a": entry(offsets=(4, 12))}, b"\0" * 12, CorruptFileError, "starts at 4"),
        ({"a": entry()}, b"\0" * 9, CorruptFileError, "follow the last tensor"),
        ({"a": entry()}, b"\0" * 7, TruncatedFileError, "tensor a"),
        ({"a": entry(shape=(1 << 62, 1 << 62), offsets=(0, 1 << 126))}, b"", TruncatedFileError, "tensor a"),
        ({"a": entry(shape=(-2,))}, b"\0" * 8, CorruptFileError, "natural numbers"),
        ({"a": entry(shape=(True, 2))}, b"\0" * 8, CorruptFileError, "natural numbers"),
        ({"a": entry(shape=(2.0,))}, b"\0" * 8, CorruptFileError, "natural numbers"),
        ({"a": entry(shape=(1,) * 70, offsets=(0, 4))}, b"\0" * 4, LimitExceededError, "70 dimensions"),
        ({"a": {"dtype": "F32", "shape": [2]}}, b"\0" * 8, CorruptFileError, "natural numbers"),
        ({"a": [1]}, b"", CorruptFileError, "no object"),
        ({"a": entry(dtype="F4")}, b"\0" * 8, UnsupportedFormatError, "F4"),
        ({"a": entry(dtype=["F32"])}, b"\0" * 8, UnsupportedFormatError, "tensor a"),
        ({"a": entry(), "__metadata__": {"epoch": 3}}, b"\0" * 8, CorruptFileError, "__metadata__"),
        (b'{"a":1,"a":2}', b"", CorruptFileError, "twice"),
        (b'{"a"', b"", CorruptFileError, "JSON"),
        (b"{\xff\xfe}", b"", CorruptFileError, "JSON"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"", CorruptFileError, "JSON"),
        ({"a" * 2000: entry()}, b"\0" * 8, LimitExceededError, "longer than"),
        ({"a": entry(dtype="I32")}, b"\0" * 8, NoWeightsError, "no floating-point"),
        ({}, b"", NoWeightsError, "no floating-point"),
    ],
)
def test_a_header_that_breaks_the_rules(tmp_path, header, data, error, words):
    path = build(tmp_path / "x", header, data)
    with pytest.raises(error, match=words) as caught:
        open_checkpoint(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absurd_header_length(tmp_path):
    with pytest.raises(LimitExceededError, match="header claims"):
        open_checkpoint(build(tmp_path / "x", {"a": entry()}, length=(1 << 64) - 1))
    with pytest.raises(TruncatedFileError, match="header claims"):
        open_checkpoint(build(tmp_path / "y", {"a": entry()}, length=50_000_000))


def test_every_type_that_torch_writes(tmp_path):
    """Values agree with torch's own conversion for bfloat16, the float8 family, integers, flags and complex numbers."""
    import torch
    from safetensors.torch import save_file

    bits = torch.arange(256, dtype=torch.int32).to(torch.uint8)
    names = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")
    state = {name: bits.clone().view(getattr(torch, name)) for name in names}
    wide = torch.randn(3, 50, dtype=torch.float64)
    state |= {str(kind)[6:]: (wide * 100).to(kind) for kind in (torch.bfloat16, torch.float16, torch.float64)}
    integers = (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.uint16, torch.uint32)
    state |= {str(kind)[6:]: torch.arange(100).to(kind) for kind in integers}
    state["bool"] = wide > 0
    save_file(state, tmp_path / "x")
    with open_checkpoint(tmp_path / "x") as reader:
        assert {spec.name: spec.dtype for spec in reader.tensors} == {name: name for name in state}
        for name, tensor in state.items():
            expected = tensor.to(torch.float32).numpy()
            np.testing.assert_array_equal(reader.read(name).astype(np.float32), expected)
            pieces = np.concatenate(list(reader.chunks(name)))
            np.testing.assert_array_equal(pieces, expected.reshape(-1))


def test_complex_numbers_get_a_last_axis_of_two(tmp_path):
    values = np.array([[1 + 2j, 3 - 4j]], dtype=np.complex64)
    with open_checkpoint(build(tmp_path / "x", {"a": entry("C64", (1, 2), (0, 16))}, values.tobytes())) as reader:
        assert reader.tensors[0].shape == (1, 2, 2)
        assert reader.read("a").tolist() == [[[1.0, 2.0], [3.0, -4.0]]]


def test_metadata_gives_counters_and_architecture(tmp_path):
    from safetensors.numpy import save_file

    save_file(
        arrays(), tmp_path / "x", {"epoch": "12", "ss_steps": "400", "note": "7", "modelspec.architecture": "sdxl"}
    )
    with open_checkpoint(tmp_path / "x") as reader:
        assert reader.counters == {"epoch": 12.0, "step": 400.0}
        assert reader.architecture == "sdxl"


def test_tensors_come_in_the_order_of_their_bytes(tmp_path):
    header = {"z": entry(offsets=(8, 16)), "a": entry(offsets=(16, 24)), "m": entry(offsets=(0, 8))}
    with open_checkpoint(build(tmp_path / "x", header, b"\0" * 24)) as reader:
        assert [spec.name for spec in reader.tensors] == ["m", "z", "a"]


def test_too_many_tensors(tmp_path, monkeypatch):
    monkeypatch.setattr("lineage_graph.checkpoints.base.MAX_TENSORS", 3)
    write_safetensors(tmp_path / "x", arrays())
    with pytest.raises(LimitExceededError, match="5 tensors, more than 3"):
        open_checkpoint(tmp_path / "x")


def test_the_same_values_from_another_library(tmp_path):
    """What safetensors itself reads back is what this reader reads."""
    from safetensors.torch import load_file, save_file

    save_file(torch_state(arrays(5)), tmp_path / "x")
    with open_checkpoint(tmp_path / "x") as reader:
        for name, tensor in load_file(tmp_path / "x").items():
            np.testing.assert_array_equal(reader.read(name), tensor.numpy())
