"""Archives: agents, numpy's, bombs, and directories that lie."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
import torch

from checkpoints.samples import arrays, torch_state, write_agent, write_npz
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import (
    CorruptFileError,
    LimitExceededError,
    NoWeightsError,
    TruncatedFileError,
    UnsafePickleError,
    UnsupportedFormatError,
)


def zipped(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def saved(state, legacy=False):
    buffer = io.BytesIO()
    torch.save(state, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_agent(tmp_path, legacy, method):
    """The policy, not the larger optimizer or the variables beside it; counters from the JSON."""
    members = {
        "data": json.dumps({"num_timesteps": 500, "_total_timesteps": 900, "_n_updates": 40, "seed": None}),
        "pytorch_variables.pth": saved({"log_ent_coef": torch.ones(5000)}, legacy),
        "policy.optimizer.pth": saved({"state": {0: {"big": torch.ones(5000)}}, "param_groups": []}, legacy),
        "policy.pth": saved(torch_state(arrays()), legacy),
        "system_info.txt": "OS: x",
    }
    with open_checkpoint(zipped(tmp_path / "x", members, method)) as reader:
        assert reader.format == "pytorch"
        assert reader.counters == {"num_timesteps": 500.0, "n_updates": 40.0}
        for name, array in arrays().items():
            np.testing.assert_array_equal(reader.read(name), array)


def test_an_agent_without_a_policy(tmp_path):
    zipped(tmp_path / "x", {"data": "{}", "actor.optimizer.pth": saved({"a": torch.ones(2)})})
    with pytest.raises(UnsupportedFormatError, match="without weights"):
        open_checkpoint(tmp_path / "x")


@pytest.mark.parametrize("data", ["[1]", "{", '{"a":1,"a":2}'])
def test_an_agents_damaged_data(tmp_path, data):
    with pytest.raises(CorruptFileError, match="data"):
        open_checkpoint(zipped(tmp_path / "x", {"data": data, "policy.pth": saved(torch_state(arrays()))}))


def test_other_archives_say_what_they_hold(tmp_path):
    with pytest.raises(UnsupportedFormatError, match=r"it holds readme\.txt"):
        open_checkpoint(zipped(tmp_path / "x", {"readme.txt": "hello"}))
    with pytest.raises(UnsupportedFormatError):
        open_checkpoint(zipped(tmp_path / "y", {}))


def test_text_in_an_npz_is_left_out(tmp_path):
    np.savez(tmp_path / "x.npz", w=np.ones(3, np.float32), words=np.array(["a", "b"]), when=np.array(["2020"], "M8[Y]"))
    with open_checkpoint(tmp_path / "x.npz") as reader:
        assert [spec.name for spec in reader.tensors] == ["w"]


def test_counters_in_an_npz(tmp_path):
    np.savez(tmp_path / "x.npz", w=np.ones(3, np.float32), step=np.int64(120), epoch=np.array([3]))
    with open_checkpoint(tmp_path / "x.npz") as reader:
        assert reader.counters == {"step": 120.0, "epoch": 3.0}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f2", ">f8", "<i2", ">u4", "bool", "<c8"])
def test_an_npy_file(tmp_path, order, dtype):
    values = np.asarray((np.random.default_rng(0).standard_normal((4, 5)) * 9).astype(dtype), order=order)
    np.save(tmp_path / "x.npy", values)
    if values.dtype.kind not in "fc":
        with pytest.raises(NoWeightsError):
            open_checkpoint(tmp_path / "x.npy")
        return
    with open_checkpoint(tmp_path / "x.npy") as reader:
        expected = np.stack([values.real, values.imag], axis=-1) if dtype == "<c8" else values
        np.testing.assert_array_equal(reader.read("arr_0"), expected)
        np.testing.assert_array_equal(np.concatenate(list(reader.chunks("arr_0"))), expected.reshape(-1).astype("f4"))


def test_bfloat16_of_ml_dtypes(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.array([1.5, -2.0, 0.0078125], dtype=ml_dtypes.bfloat16)
    np.savez(tmp_path / "x.npz", w=values)
    with open_checkpoint(tmp_path / "x.npz") as reader:
        assert reader.tensors[0].dtype == "bfloat16"
        assert reader.read("w").tolist() == [1.5, -2.0, 0.0078125]


def test_an_npy_header_that_promises_too_much(tmp_path):
    np.save(tmp_path / "x.npy", np.ones(4, np.float32))
    data = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(data.replace(b"(4,), }      ", b"(99999999,),}"))
    with pytest.raises(TruncatedFileError, match="needs 399999996 bytes"):
        open_checkpoint(tmp_path / "x.npy")
    (tmp_path / "x.npy").write_bytes(data.replace(b"'<f4'", b"'|O' "))
    with pytest.raises(UnsafePickleError):
        open_checkpoint(tmp_path / "x.npy")


def test_a_bomb_of_zeros(tmp_path):
    """100 MB of zeros in 100 kB."""
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(25_000_000, np.float32))
    with pytest.raises(LimitExceededError, match=r"unpacks \d+ bytes to 100000128"):
        open_checkpoint(zipped(tmp_path / "x", {"w.npy": buffer.getvalue()}, zipfile.ZIP_DEFLATED))


def test_a_bomb_of_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr("lineage_graph.checkpoints.zips.MAX_INFLATED_BYTES", 1 << 20)
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(10_000, np.float32))
    members = {f"{number}.npy": buffer.getvalue() for number in range(30)}
    with pytest.raises(LimitExceededError, match="archive unpacks to"):
        open_checkpoint(zipped(tmp_path / "x", members, zipfile.ZIP_DEFLATED))


def test_a_small_tensor_of_zeros_is_no_bomb(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", w=np.zeros(1_000_000, np.float32))
    with open_checkpoint(tmp_path / "x.npz") as reader:
        assert reader.tensors[0].shape == (1_000_000,)


def test_overlapping_members(tmp_path):
    """Every entry of the directory points at the same megabyte."""
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(100_000, np.float32))
    zipped(tmp_path / "x", {"0.npy": buffer.getvalue()})
    data = (tmp_path / "x").read_bytes()
    start = data.index(b"PK\x01\x02")
    entry, end = data[start : data.index(b"PK\x05\x06")], bytearray(data[data.index(b"PK\x05\x06") :])
    entries = b"".join(entry.replace(b"0.npy", f"{number}.npy".encode()) for number in range(9))
    end[8:12] = struct.pack("<HH", 9, 9)
    end[12:16] = struct.pack("<I", len(entries))
    (tmp_path / "x").write_bytes(data[:start] + entries + end)
    with pytest.raises(CorruptFileError, match="larger than the archive"):
        open_checkpoint(tmp_path / "x")


def test_a_directory_of_absurd_size(tmp_path):
    write_npz(tmp_path / "x", arrays())
    data = bytearray((tmp_path / "x").read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", 0xF0000000)
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(LimitExceededError, match="zip directory claims 4026531840 bytes"):
        open_checkpoint(tmp_path / "x")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "x", "w") as archive:
        archive.writestr("w.npy", b"a")
        archive.writestr("w.npy", b"b")
    with pytest.raises(CorruptFileError, match="two members of one name"):
        open_checkpoint(tmp_path / "x")


def test_other_packing_methods(tmp_path):
    zipped(tmp_path / "x", {"w.npy": b"abc" * 100}, zipfile.ZIP_LZMA)
    with pytest.raises(UnsupportedFormatError, match="method that is not supported"):
        open_checkpoint(tmp_path / "x")


def test_a_damaged_compressed_member(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", w=np.random.default_rng(0).standard_normal(50_000))
    data = bytearray((tmp_path / "x.npz").read_bytes())
    data[300_000:300_040] = b"\xff" * 40
    (tmp_path / "x.npz").write_bytes(data)
    with open_checkpoint(tmp_path / "x.npz") as reader, pytest.raises(CorruptFileError, match="tensor w"):
        reader.read("w")


def test_a_cut_archive_is_not_taken_for_the_one_inside_it(tmp_path):
    write_agent(tmp_path / "x", arrays())
    data = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(data[: data.rindex(b"PK\x01\x02")])
    with pytest.raises(TruncatedFileError, match="ends before its directory"):
        open_checkpoint(tmp_path / "x")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_directory_of_large_archives(tmp_path, monkeypatch, method):
    """The 64-bit records that archives beyond 4 GiB have, here from 10 bytes on."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    buffer = io.BytesIO()
    np.save(buffer, np.arange(500, dtype=np.float32))
    zipped(tmp_path / "x", {"w.npy": buffer.getvalue()}, method)
    assert b"PK\x06\x06" in (tmp_path / "x").read_bytes()
    with open_checkpoint(tmp_path / "x") as reader:
        assert reader.read("w").tolist() == list(range(500))
    data = bytearray((tmp_path / "x").read_bytes())
    at = data.rindex(b"PK\x06\x06") + 40
    data[at : at + 8] = struct.pack("<Q", 1 << 40)
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(LimitExceededError, match="zip directory claims 1099511627776 bytes"):
        open_checkpoint(tmp_path / "x")
