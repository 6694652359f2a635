"""One small sound file, or folder, for each reader: what the fuzz run mutates."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]


def arrays() -> Arrays:
    """Weights of several ranks and types, a counter, and a scalar."""
    rng = np.random.default_rng(0)
    return {
        "conv.weight": rng.standard_normal((4, 3, 3, 3)).astype(np.float32),
        "conv.bias": rng.standard_normal(4).astype(np.float32),
        "fc.weight": rng.standard_normal((6, 5)).astype(np.float16),
        "fc.scale": rng.standard_normal((1,)).astype(np.float64),
        "bn.batches": np.array([17], dtype=np.int64),
    }


def _safetensors(path: Path) -> None:
    from safetensors.numpy import save_file

    save_file(arrays(), path, metadata={"architecture": "test", "global_step": "7"})


def _torch(path: Path, legacy: bool = False) -> None:
    import torch

    state = {name: torch.from_numpy(values) for name, values in arrays().items()}
    torch.save({"state_dict": state, "epoch": 3}, path, _use_new_zipfile_serialization=not legacy)


def _torch_deflated(path: Path) -> None:
    _torch(path)
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))


class _Key:
    def __init__(self, key: str) -> None:
        self.key = key


class _Referring(pickle.Pickler):
    def persistent_id(self, item: object) -> object:
        return item.key if isinstance(item, _Key) else None


def _torch_tar(path: Path) -> None:
    """The format of 2016, which no torch writes any more."""
    import torch

    storages, tensors, main = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pickle.dump(2, storages, 2)
    pickle.dump(2, tensors, 2)
    named = {name: arrays()[name] for name in ("conv.weight", "conv.bias")}
    for key, values in enumerate(named.values()):
        pickle.dump((100 + key, "cpu", torch.FloatStorage), storages, 2)
        storages.write(struct.pack("<q", values.size) + values.tobytes())
        pickle.dump((200 + key, 100 + key, torch.FloatTensor), tensors, 2)
        steps = [stride // values.itemsize for stride in values.strides]
        tensors.write(struct.pack(f"<ii{2 * values.ndim + 1}q", values.ndim, 0, *values.shape, *steps, 0))
    pickle.dump([], storages, 2)
    _Referring(main, 2).dump({name: _Key(str(200 + key)) for key, name in enumerate(named)})
    with tarfile.open(path, "w") as tar:
        for name, part in (("sys_info", b"\x80\x02}."), ("pickle", main), ("storages", storages), ("tensors", tensors)):
            data = part if isinstance(part, bytes) else part.getvalue()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def _pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weights": arrays(), "epoch": 2}, 4))


def _agent(path: Path) -> None:
    _torch(path)
    policy = path.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", json.dumps({"num_timesteps": 1000, "policy_class": {":serialized:": "gASVBA=="}}))
        archive.writestr("policy.pth", policy)


def _npz(path: Path, packed: bool = False) -> None:
    with path.open("wb") as file:
        (np.savez_compressed if packed else np.savez)(file, **arrays())  # type: ignore[arg-type]


def _npy(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, arrays()["conv.weight"])


def _keras(path: Path, packed: bool = False) -> None:
    import h5py

    options = {"chunks": True, "compression": "gzip", "shuffle": True} if packed else {}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential"})
        for name, values in arrays().items():
            file.create_dataset(f"model_weights/{name}", data=values, **options)
        file.create_dataset("optimizer_weights/iterations", data=np.int64(5))


def _keras_archive(path: Path) -> None:
    _keras(path)
    weights = path.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"class_name": "Functional"}')
        archive.writestr("model.weights.h5", weights)


def _onnx(path: Path, outside: bool = False) -> None:
    import onnx
    from onnx import helper, numpy_helper

    values = [numpy_helper.from_array(array, name) for name, array in arrays().items()]
    values.append(helper.make_tensor("typed", onnx.TensorProto.FLOAT, [3], [1.0, 2.0, 3.0]))
    graph = helper.make_graph([helper.make_node("Identity", ["fc.scale"], ["y"])], "graph", [], [], values)
    (path.parent / "x.data").unlink(missing_ok=True)
    model = helper.make_model(graph)
    onnx.save_model(
        model, path, save_as_external_data=outside, location="x.data" if outside else None, size_threshold=0
    )


def _gguf(path: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_array("tokenizer.ggml.tokens", ["a", "bc", "def"])
    writer.add_array("some.numbers", [1, 2, 3])
    for name, values in arrays().items():
        writer.add_tensor(name, values)
    packed = gguf.quantize(np.ones((2, 64), np.float32), gguf.GGMLQuantizationType.Q4_0)
    writer.add_tensor("packed", packed, raw_dtype=gguf.GGMLQuantizationType.Q4_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _index(path: Path) -> None:
    """A folder's index; its one shard and its config lie beside it."""
    shard = path.parent / "model-00001-of-00001.safetensors"
    _safetensors(shard)
    places = dict.fromkeys(arrays(), shard.name)
    path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}), encoding="utf-8")


WRITERS: Mapping[str, Callable[[Path], None]] = {
    "safetensors": _safetensors,
    "torch zip": _torch,
    "torch zip, deflated": _torch_deflated,
    "torch legacy": lambda path: _torch(path, legacy=True),
    "torch tar": _torch_tar,
    "pickle": _pickle,
    "agent": _agent,
    "npy": _npy,
    "npz": _npz,
    "npz, deflated": lambda path: _npz(path, packed=True),
    "keras": _keras,
    "keras, packed": lambda path: _keras(path, packed=True),
    "keras archive": _keras_archive,
    "onnx": _onnx,
    "onnx, external": lambda path: _onnx(path, outside=True),
    "gguf": _gguf,
    "shard index": _index,
}
"""Every reader, and the containers that differ in how they are read."""


def write(kind: str, folder: Path) -> bytes:
    """Write the sample into ``folder``, and give the bytes of the file to mutate, which is called ``x``."""
    path = folder / "x"
    WRITERS[kind](path)
    return path.read_bytes()
