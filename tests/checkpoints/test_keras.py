"""Keras: weights and whole models, the .keras archive, and what HDF5 can hide."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.errors import LimitExceededError, MissingExtraError, NoWeightsError, UnsupportedFormatError

KERNEL = np.arange(6, dtype=np.float32).reshape(2, 3)


def names(reader):
    return [spec.name for spec in reader.tensors]


def test_a_whole_model(tmp_path):
    with h5py.File(tmp_path / "x", "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "mine"}}).encode()
        file["model_weights/dense/dense/kernel:0"] = KERNEL
        file["model_weights/top_level_model_weights/none"] = np.zeros(0, np.float32)
        file["optimizer_weights/Adam/iterations:0"] = np.int64(321)
        file["optimizer_weights/Adam/dense/kernel/m:0"] = KERNEL
    with open_checkpoint(tmp_path / "x") as reader:
        assert names(reader) == ["dense/dense/kernel:0"]
        assert reader.counters == {"iteration": 321.0}
        assert reader.architecture == "Sequential"
        np.testing.assert_array_equal(reader.read("dense/dense/kernel:0"), KERNEL)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_keras_archive(tmp_path, method):
    inner = io.BytesIO()
    with h5py.File(inner, "w") as file:
        file["layers/dense/vars/0"] = KERNEL
        file["optimizer/vars/0"] = np.int64(7)
        file["optimizer/vars/1"] = KERNEL
    with zipfile.ZipFile(tmp_path / "x", "w", method) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps({"class_name": "Functional"}))
        archive.writestr("model.weights.h5", inner.getvalue())
    with open_checkpoint(tmp_path / "x") as reader:
        assert names(reader) == ["layers/dense/vars/0"]
        assert reader.architecture == "Functional"
        np.testing.assert_array_equal(reader.read("layers/dense/vars/0"), KERNEL)


@pytest.mark.parametrize("options", [{}, {"chunks": (3, 5)}, {"compression": "gzip"}, {"compression": "lzf"}])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f2", "<f8", "<i8", "bool"])
@pytest.mark.parametrize("chunk", [5, 16])
def test_layouts_and_types(tmp_path, options, dtype, chunk, monkeypatch):
    """Pieces narrower and wider than a row."""
    monkeypatch.setattr("lineage_graph.checkpoints.keras.CHUNK", chunk)
    values = (np.random.default_rng(0).standard_normal((11, 7)) * 5).astype(dtype)
    with h5py.File(tmp_path / "x", "w", userblock_size=512 if options else 0) as file:
        file.create_dataset("w", data=values, **options)
        file["scalar"] = np.float32(2)
    with open_checkpoint(tmp_path / "x") as reader:
        np.testing.assert_array_equal(reader.read("w"), values)
        pieces = np.concatenate([piece.copy() for piece in reader.chunks("w")])
        np.testing.assert_array_equal(pieces, values.reshape(-1).astype(np.float32))
        assert reader.read("scalar") == 2


def test_values_in_other_files_are_refused(tmp_path):
    (tmp_path / "secret").write_bytes(b"\0" * 64)
    with h5py.File(tmp_path / "x", "w") as file:
        file.create_dataset("w", (4,), "f4", external=[(str(tmp_path / "secret"), 0, 16)])
    with pytest.raises(UnsupportedFormatError, match="another file"):
        open_checkpoint(tmp_path / "x")
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "secret"), "w", (4,))
    with h5py.File(tmp_path / "y", "w") as file:
        file.create_virtual_dataset("w", layout)
    with pytest.raises(UnsupportedFormatError, match="another file"):
        open_checkpoint(tmp_path / "y")


def test_links_are_not_followed(tmp_path):
    with h5py.File(tmp_path / "other", "w") as file:
        file["w"] = KERNEL
    with h5py.File(tmp_path / "x", "w") as file:
        file["outside"] = h5py.ExternalLink(str(tmp_path / "other"), "w")
        file["soft"] = h5py.SoftLink("/w")
        file["w"] = KERNEL
        file["loop"] = file["/"]
        group = file.create_group("group")
        group["back"] = group
    with open_checkpoint(tmp_path / "x") as reader:
        assert names(reader) == ["w"]


def test_a_dataset_that_is_declared_but_not_stored(tmp_path):
    with h5py.File(tmp_path / "x", "w") as file:
        file.create_dataset("w", (1 << 20, 1 << 20), "f4", chunks=(64, 64))
    with pytest.raises(LimitExceededError, match="declared, 0 stored"):
        open_checkpoint(tmp_path / "x")


def test_texts_are_no_weights(tmp_path):
    with h5py.File(tmp_path / "x", "w") as file:
        file["names"] = ["a", "b"]
    with pytest.raises(NoWeightsError):
        open_checkpoint(tmp_path / "x")


def test_the_missing_library_is_named(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "x", "w") as file:
        file["w"] = KERNEL
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lgraph\[keras\]'"):
        open_checkpoint(tmp_path / "x")


@pytest.mark.parametrize("length", [0, 8, 1 << 63, (1 << 64) - 16])
@pytest.mark.parametrize("number", [0, 1])
def test_a_heap_without_an_end_is_not_walked(tmp_path, number, length):
    """The library would go in circles at an object that takes no room; the weights are read all the same."""
    with h5py.File(tmp_path / "x", "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential"})
        file.create_dataset("w", data=np.ones(4, np.float32))
    data = bytearray((tmp_path / "x").read_bytes())
    at = data.find(b"GCOL") + 16
    data[at : at + 16] = number.to_bytes(2, "little") + bytes(6) + length.to_bytes(8, "little")
    (tmp_path / "x").write_bytes(data)
    with open_checkpoint(tmp_path / "x") as reader:
        assert reader.architecture == ""
        assert reader.read("w").tolist() == [1, 1, 1, 1]
