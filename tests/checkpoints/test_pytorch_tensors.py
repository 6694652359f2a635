"""Tensors of PyTorch files: views, types, layouts that reach outside, and memory."""

import io
import pickle
import zipfile

import numpy as np
import pytest
import torch

from checkpoints.torch_files import REFUSED, agree, save
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import CorruptFileError, LimitExceededError, TruncatedFileError, UnsupportedFormatError


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("extra", [{}, {"args": REFUSED}], ids=["accepted", "refused"])
def test_layouts(tmp_path, extra, legacy):
    """Views, transposes, expansions, shared storages and every plain type."""
    base = torch.randn(6, 8)
    state = {
        "whole": base,
        "part": base[1:4, 2:7],
        "transposed": base.t(),
        "permuted": torch.randn(2, 3, 4).permute(2, 0, 1),
        "last": base[-1, -1],
        "column": base[:, 3],
        "expanded": torch.randn(1, 4).expand(5, 4),
        "channels_last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "half": base.half(),
        "bfloat": base.bfloat16(),
        "double": base.double(),
        "long": torch.arange(5),
        "flag": base > 0,
        "parameter": torch.nn.Parameter(torch.randn(3)),
    }
    agree(save(tmp_path / "x", {"state_dict": state, **extra}, legacy), state)


def test_float8(tmp_path):
    state = {"w": torch.randn(16).to(torch.float8_e4m3fn), "b": torch.randn(4)}
    agree(save(tmp_path / "x", state), state)
    agree(save(tmp_path / "y", {"state_dict": state, "args": REFUSED}), state)


def test_complex_numbers(tmp_path):
    state = {"w": torch.randn(4, 3, dtype=torch.complex64).t(), "b": torch.randn(2)}
    expected = {"w": torch.view_as_real(state["w"]).contiguous(), "b": state["b"]}
    agree(save(tmp_path / "x", state), expected)
    agree(save(tmp_path / "y", {"state_dict": state, "args": REFUSED}), expected)


@pytest.mark.filterwarnings("ignore")
def test_quantised_and_sparse_tensors_go_through_torch(tmp_path):
    quantised = torch.quantize_per_tensor(torch.randn(4, 4), 0.1, 3, torch.quint8)
    sparse = torch.eye(5).to_sparse()
    path = save(tmp_path / "x", {"q": quantised, "s": sparse, "w": torch.ones(2)})
    with open_checkpoint(path) as reader:
        assert {spec.name: spec.dtype for spec in reader.tensors} == {"q": "quint8", "s": "float32", "w": "float32"}
        np.testing.assert_array_equal(reader.read("q"), quantised.dequantize().numpy())
        np.testing.assert_array_equal(np.concatenate(list(reader.chunks("q"))), reader.read("q").reshape(-1))
        np.testing.assert_array_equal(reader.read("s"), np.eye(5, dtype=np.float32))
    with open_checkpoint(
        save(tmp_path / "y", {"model": {"q": quantised, "w": torch.ones(2)}, "args": REFUSED})
    ) as reader:
        assert reader.read("w").tolist() == [1.0, 1.0]
        with pytest.raises(UnsupportedFormatError, match="_rebuild_qtensor"):
            reader.read("q")


def test_memory_is_released_between_tensors(tmp_path, monkeypatch):
    """After a while of reading, the mapping is made afresh, also in the middle of a tensor."""
    monkeypatch.setattr("lineage_graph.checkpoints.mapped.REMAP_BYTES", 1 << 20)
    monkeypatch.setattr("lineage_graph.checkpoints.mapped.CHUNK", 1 << 16)
    state = {"a": torch.randn(1 << 19), "b": torch.randn(100)}
    path = save(tmp_path / "x", state)
    loads = []
    original = torch.load
    monkeypatch.setattr(torch, "load", lambda *args, **options: loads.append(1) or original(*args, **options))
    agree(path, state)
    assert len(loads) == 3


def test_a_mapped_file_that_shrinks(tmp_path):
    path = save(tmp_path / "x", {"a": torch.randn(1 << 12)})
    with open_checkpoint(path) as reader:
        with path.open("r+b") as file:
            file.truncate(100)
        with pytest.raises(TruncatedFileError, match="shorter"):
            reader.read("a")


def tensor_pickle(size, stride, offset=0, elements=4, key="0"):
    """A pickle of one tensor whose layout is chosen freely."""

    class Storage:
        def __init__(self, name):
            self.name = name

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            return ("storage", torch.FloatStorage, key, "cpu", elements) if isinstance(item, Storage) else None

    class Tensor:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (Storage(key), offset, size, stride, False, {})

    buffer = io.BytesIO()
    Pickler(buffer, 2).dump({"w": Tensor(), "args": REFUSED})
    return buffer.getvalue()


def torch_zip(path, pickled, records):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        for name, data in records.items():
            archive.writestr(f"archive/data/{name}", data)
    return path


@pytest.mark.parametrize(
    ("layout", "error"),
    [
        ({"size": (5,), "stride": (1,)}, CorruptFileError),
        ({"size": (2, 2), "stride": (3, 1)}, CorruptFileError),
        ({"size": (4,), "stride": (1,), "offset": 1}, CorruptFileError),
        ({"size": (4,), "stride": (1,), "offset": -1}, CorruptFileError),
        ({"size": (2,), "stride": (-1,)}, CorruptFileError),
        ({"size": (2, 2), "stride": (1,)}, CorruptFileError),
        ({"size": ("2",), "stride": (1,)}, CorruptFileError),
        ({"size": (1 << 40,), "stride": (0,)}, LimitExceededError),
        ({"size": (1 << 30, 1 << 30), "stride": (0, 0)}, LimitExceededError),
        ({"size": (1,) * 100, "stride": (1,) * 100}, CorruptFileError),
        ({"size": (4,), "stride": (1,), "key": "7"}, CorruptFileError),
        ({"size": (4,), "stride": (1,), "elements": -4}, CorruptFileError),
    ],
)
def test_impossible_layouts(tmp_path, layout, error):
    path = torch_zip(tmp_path / "x", tensor_pickle(**layout), {"0": b"\0" * 16})
    with pytest.raises(error):
        open_checkpoint(path)


def test_a_storage_larger_than_its_record(tmp_path):
    path = torch_zip(tmp_path / "x", tensor_pickle((1 << 40,), (1,), elements=1 << 40), {"0": b"\0" * 16})
    with pytest.raises(TruncatedFileError, match="data/0"):
        open_checkpoint(path)


def test_a_possible_layout_reads(tmp_path):
    data = np.arange(4, dtype=np.float32)
    path = torch_zip(tmp_path / "x", tensor_pickle((2, 2), (1, 2)), {"0": data.tobytes()})
    with open_checkpoint(path) as reader:
        assert reader.read("w").tolist() == [[0.0, 2.0], [1.0, 3.0]]
