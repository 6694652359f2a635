"""The same small tensors written in every format by the format's own library."""

import io
import tarfile
import zipfile

import numpy as np


def arrays(seed=0):
    """Weights of several ranks and types, a counter, and a scalar."""
    rng = np.random.default_rng(seed)
    return {
        "conv.weight": rng.standard_normal((4, 3, 3, 3)).astype(np.float32),
        "conv.bias": rng.standard_normal(4).astype(np.float32),
        "fc.weight": rng.standard_normal((6, 5)).astype(np.float16),
        "fc.scale": rng.standard_normal((1,)).astype(np.float64),
        "bn.batches": np.array([17], dtype=np.int64),
    }


def torch_state(values):
    import torch

    return {name: torch.from_numpy(array.copy()) for name, array in values.items()}


def write_safetensors(path, values):
    from safetensors.numpy import save_file

    save_file({name: np.ascontiguousarray(array) for name, array in values.items()}, path)


def write_torch(path, values):
    import torch

    torch.save(torch_state(values), path)


def write_torch_refused(path, values):
    """A file that ``weights_only=True`` refuses: options are pickled beside the weights."""
    import argparse

    import torch

    torch.save({"state_dict": torch_state(values), "args": argparse.Namespace(lr=0.1)}, path)


def write_torch_legacy(path, values):
    import torch

    torch.save(torch_state(values), path, _use_new_zipfile_serialization=False)


def write_torch_deflated(path, values):
    """A torch file that somebody packed again with an ordinary zip tool."""
    plain = io.BytesIO()
    import torch

    torch.save(torch_state(values), plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))


def write_torch_tar(path, values):
    """The format of 2016, which no torch writes any more."""
    import pickle
    import struct

    import torch

    storages, tensors = io.BytesIO(), io.BytesIO()
    pickle.dump(len(values), storages, 2)
    pickle.dump(len(values), tensors, 2)
    kinds = {"float32": "FloatStorage", "float16": "HalfStorage", "float64": "DoubleStorage", "int64": "LongStorage"}
    for key, array in enumerate(values.values()):
        pickle.dump((100 + key, "cpu", getattr(torch, kinds[array.dtype.name])), storages, 2)
        storages.write(struct.pack("<q", array.size) + array.tobytes())
        pickle.dump((200 + key, 100 + key, torch.FloatTensor), tensors, 2)
        steps = [stride // array.itemsize for stride in np.ascontiguousarray(array).strides]
        tensors.write(struct.pack(f"<ii{2 * array.ndim + 1}q", array.ndim, 0, *array.shape, *steps, 0))
    pickle.dump([], storages, 2)
    main = io.BytesIO()

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            return item.key if isinstance(item, Reference) else None

    Pickler(main, 2).dump({name: Reference(str(200 + key)) for key, name in enumerate(values)})
    with tarfile.open(path, "w") as tar:
        for name, part in (
            ("sys_info", io.BytesIO(b"\x80\x02}.")),
            ("pickle", main),
            ("storages", storages),
            ("tensors", tensors),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(part.getvalue())
            tar.addfile(info, io.BytesIO(part.getvalue()))


class Reference:
    """Stands for a tensor in the pickle of a tar file."""

    def __init__(self, key):
        self.key = key


def write_pickle(path, values):
    import pickle

    path.write_bytes(pickle.dumps(dict(values)))


def write_agent(path, values):
    import torch

    policy, optimizer = io.BytesIO(), io.BytesIO()
    torch.save(torch_state(values), policy)
    torch.save({"state": {}, "param_groups": [], "junk": torch.zeros(1000)}, optimizer)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "data", '{"num_timesteps": 1000, "_n_updates": 40, "policy_class": {":serialized:": "gASVBA=="}}'
        )
        archive.writestr("policy.optimizer.pth", optimizer.getvalue())
        archive.writestr("policy.pth", policy.getvalue())


def write_npz(path, values):
    with path.open("wb") as file:
        np.savez(file, **values)


def write_npz_deflated(path, values):
    with path.open("wb") as file:
        np.savez_compressed(file, **values)


def write_keras(path, values):
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in values.items():
            file.create_dataset(name, data=array)


def write_keras_packed(path, values):
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in values.items():
            file.create_dataset(name, data=array, chunks=True, compression="gzip", shuffle=True)


def write_onnx(path, values):
    import onnx
    from onnx import helper, numpy_helper

    initializers = [numpy_helper.from_array(array, name) for name, array in values.items()]
    graph = helper.make_graph([helper.make_node("Identity", ["fc.scale"], ["y"])], "graph", [], [], initializers)
    onnx.save_model(helper.make_model(graph), path)


def write_gguf(path, values):
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_array("tokenizer.ggml.tokens", ["a", "bc", "def"])
    writer.add_array("some.numbers", [1, 2, 3])
    for name, array in values.items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


WRITERS = {
    "safetensors": write_safetensors,
    "torch": write_torch,
    "torch-refused": write_torch_refused,
    "torch-legacy": write_torch_legacy,
    "torch-deflated": write_torch_deflated,
    "torch-tar": write_torch_tar,
    "pickle": write_pickle,
    "agent": write_agent,
    "npz": write_npz,
    "npz-deflated": write_npz_deflated,
    "keras": write_keras,
    "keras-packed": write_keras_packed,
    "onnx": write_onnx,
    "gguf": write_gguf,
}

FORMATS = {
    **{name: "pytorch" for name in WRITERS if name.startswith("torch")},
    "agent": "pytorch",
    "npz-deflated": "npz",
    "keras-packed": "keras",
}
"""The reader's name for what a writer writes, where it differs from the writer's."""
