"""Every format gives back what its own library wrote: names, shapes, types, values, whole and in pieces."""

import numpy as np
import pytest

from checkpoints.samples import FORMATS, WRITERS, arrays
from lineage_graph.checkpoints import CHUNK, open_checkpoint
from lineage_graph.checkpoints.source import ByteSource


def joined(reader, name):
    return np.concatenate([piece.copy() for piece in reader.chunks(name)])


@pytest.mark.parametrize("kind", WRITERS)
def test_round_trip(tmp_path, kind):
    truth = arrays()
    path = tmp_path / "no-telling-name"
    WRITERS[kind](path, truth)
    with open_checkpoint(path) as reader:
        assert reader.format == FORMATS.get(kind, kind)
        assert {spec.name: (spec.shape, spec.dtype) for spec in reader.tensors} == {
            name: (array.shape, array.dtype.name) for name, array in truth.items()
        }
        for name, array in truth.items():
            values = reader.read(name)
            assert values.dtype == array.dtype
            assert values.flags.c_contiguous
            np.testing.assert_array_equal(values, array)
            np.testing.assert_array_equal(joined(reader, name), array.reshape(-1).astype(np.float32))


@pytest.mark.parametrize("kind", WRITERS)
def test_pieces_of_a_large_tensor(tmp_path, kind):
    large = np.random.default_rng(1).standard_normal((CHUNK // 64 + 1, 64)).astype(np.float32)
    path = tmp_path / "file"
    WRITERS[kind](path, {"fc.scale": np.ones(1, np.float32), "large": large})
    with open_checkpoint(path) as reader:
        sizes = [piece.size for piece in reader.chunks("large")]
        assert sizes == [CHUNK, 64]
        np.testing.assert_array_equal(joined(reader, "large").reshape(large.shape), large)
        np.testing.assert_array_equal(reader.read("large"), large)


@pytest.mark.parametrize(
    "kind", [kind for kind in WRITERS if "deflated" not in kind and kind not in ("pickle", "torch")]
)
def test_shapes_are_known_before_values_are_read(tmp_path, kind, monkeypatch):
    """Of a file whose one tensor takes 99 % of it, opening reads less than a tenth."""
    path = tmp_path / "file"
    large = np.random.default_rng(2).standard_normal((2048, 1024)).astype(np.float32)
    WRITERS[kind](path, {"fc.scale": np.ones(1, np.float32), "large": large})
    taken = []
    original = ByteSource.readinto

    def counting(self, offset, buffer):
        taken.append(memoryview(buffer).nbytes)
        original(self, offset, buffer)

    monkeypatch.setattr(ByteSource, "readinto", counting)
    with open_checkpoint(path) as reader:
        assert reader.tensors[-1].shape == (2048, 1024) or reader.tensors[0].shape == (2048, 1024)
        assert 0 < sum(taken) < 800_000
        opened = sum(taken)
        reader.read("large")
        assert sum(taken) > opened + 6_000_000


def test_a_mapped_torch_file_is_not_read_when_opened(tmp_path, monkeypatch):
    """torch maps the file: its own loader is asked for no record of weights."""
    import torch

    path = tmp_path / "file"
    WRITERS["torch"](path, arrays())
    calls = []
    original = torch.load

    def watching(file, **options):
        calls.append(options)
        return original(file, **options)

    monkeypatch.setattr(torch, "load", watching)
    with open_checkpoint(path) as reader:
        np.testing.assert_array_equal(reader.read("conv.weight"), arrays()["conv.weight"])
    assert calls == [{"map_location": "cpu", "mmap": True, "weights_only": True}]


@pytest.mark.parametrize("kind", [kind for kind in WRITERS if kind not in ("gguf", "keras-packed")])
def test_empty_tensors_are_left_out(tmp_path, kind):
    """The formats that are not tried have no empty tensors."""
    path = tmp_path / "file"
    WRITERS[kind](path, {"fc.scale": np.ones(2, np.float32), "nothing": np.ones((0, 3), np.float32)})
    with open_checkpoint(path) as reader:
        assert [spec.name for spec in reader.tensors] == ["fc.scale"]


@pytest.mark.parametrize("kind", WRITERS)
def test_an_unknown_name_is_a_named_error(tmp_path, kind):
    from lineage_graph.errors import CorruptFileError

    path = tmp_path / "file"
    WRITERS[kind](path, arrays())
    with open_checkpoint(path) as reader, pytest.raises(CorruptFileError, match="absent"):
        reader.read("absent")
