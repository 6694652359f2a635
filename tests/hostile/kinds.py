"""The one list of hostile files: what each is called, how it is made, and the error that it gets."""

import json
import struct
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from checkpoints.hostile import attacks, bombs
from hostile import making as m


@dataclass(frozen=True)
class Kind:
    """``make(path)`` puts the file or folder at ``path``; beside it, it may put what a link leads to."""

    name: str
    error: str
    make: Callable[[Path], None]


CORRUPT, LIMIT, CUT = "CorruptFileError", "LimitExceededError", "TruncatedFileError"
UNSAFE, UNSUPPORTED, NONE = "UnsafePickleError", "UnsupportedFormatError", "NoWeightsError"
MARKER = "ran-by-a-checkpoint"
"""A file that the attacks would make in the current folder."""

_ESCAPES = "\x1b[2J\x1b]0;owned\x07\nERROR: none\u202e"


_BOMBS = bombs()


def _attack(name: str) -> Kind:
    return Kind(f"pickle: {name}", UNSAFE, lambda path: m.pickled(path, attacks(MARKER)[name][0]))


def _bomb(name: str, error: str) -> Kind:
    return Kind(f"pickle bomb: {name}", error, lambda path: path.write_bytes(_BOMBS[name]))


def _safetensors(name: str, error: str, header: object, buffer: bytes = b"", **options: int) -> Kind:
    return Kind(f"safetensors: {name}", error, lambda path: m.safetensors(path, header, buffer, **options))


SAFETENSORS = (
    _safetensors("header of 2⁶² bytes", LIMIT, b"{}", length=1 << 62),
    _safetensors("header longer than the file", CUT, b'{"w": 1}', length=1000),
    _safetensors("header that is no JSON", CORRUPT, b'{"w": nothing}'),
    _safetensors("100,000 brackets deep", CORRUPT, b'{"w":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    _safetensors("three million parts", LIMIT, b'{"w":[' + b"[]," * 3_000_000 + b"[]]}"),
    _safetensors("one name twice", CORRUPT, b'{"w": 1, "w": 1}'),
    _safetensors("overlapping tensors", CORRUPT, {"a": m.entry(), "b": m.entry(2, 6)}, bytes(6)),
    _safetensors("a hole between tensors", CORRUPT, {"a": m.entry(), "b": m.entry(8, 12)}, bytes(12)),
    _safetensors("bytes behind the last tensor", CORRUPT, {"a": m.entry()}, bytes(100)),
    _safetensors("shape against size", CORRUPT, {"a": m.entry(shape=(1000,))}, bytes(4)),
    _safetensors("100,000 axes of 2⁶¹", LIMIT, {"a": m.entry(shape=(1 << 61,) * 100_000)}, bytes(4)),
    _safetensors("an axis of 2⁶⁴, times 0", LIMIT, {"a": m.entry(stop=0, shape=(1 << 64, 0))}),
    _safetensors("negative extent", CORRUPT, {"a": m.entry(shape=(-1,))}, bytes(4)),
    _safetensors("unknown type", UNSUPPORTED, {"a": m.entry(dtype="../x")}, bytes(4)),
    _safetensors("name that moves the cursor", CORRUPT, {_ESCAPES: 1}),
    _safetensors("name of 5,000 characters", LIMIT, {"w" * 5000: m.entry()}, bytes(4)),
    _safetensors("metadata that is no text", CORRUPT, {"__metadata__": {"a": 1}, "w": m.entry()}, bytes(4)),
)

PICKLES = (
    *map(_attack, ("reduce", "exec", "instance", "object", "new object", "new object, names", "stack global")),
    *map(_attack, ("extension", "attribute", "state", "bytes in torch", "subclass", "ordered dict", "numpy")),
    Kind("pickle: a reference to elsewhere", UNSAFE, lambda path: m.pickled(path, b"Vkey\nQ")),
    _bomb("bytearray", UNSAFE),
    _bomb("memo", NONE),
    _bomb("text length", LIMIT),
    _bomb("bytes length", LIMIT),
    _bomb("number", LIMIT),
    _bomb("copied text", LIMIT),
    _bomb("copied state", LIMIT),
    _bomb("nested key", NONE),
    _bomb("nested list", NONE),
    _bomb("doubling weights", LIMIT),
    Kind("pickle bomb: crowd of references", UNSAFE, lambda path: m.pickled(path, m.inert_crowd(100_000, 50_000))),
    Kind("pickle bomb: crowded optimizer", NONE, lambda path: m.pickled(path, m.crowded_state(10_000, 300_000))),
)


def _absent_storage(path: Path) -> None:
    m.torch_zip(path, m.tensor(key="../../../etc/passwd"))


def _renamed(path: Path) -> None:
    m.torch_zip(path, m.tensor())
    m.patched(path, b"archive/data/0", b"archive/evil/0")


def _crowded_directory(path: Path) -> None:
    entries = (b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a") * 500_000
    local = b"PK\x03\x04" + bytes(27)
    path.write_bytes(local + entries + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0, 0, len(entries), len(local), 0))


def _huge_directory(path: Path) -> None:
    m.zipped(path, [("a", b"x")])
    data = bytearray(path.read_bytes())
    data[-10:-6] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(data)


def _encrypted(path: Path) -> None:
    m.zipped(path, [("archive/data.pkl", b"x")])
    m.patched(path, b"PK\x01\x02" + path.read_bytes().partition(b"PK\x01\x02")[2][:4], b"PK\x01\x02\x14\x00\x14\x00")
    data = bytearray(path.read_bytes())
    data[data.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)


ARCHIVES = (
    Kind("torch: view beyond its storage", CORRUPT, lambda path: m.torch_zip(path, m.tensor(shape=b"M\xff\xff\x85"))),
    Kind("torch: negative shape", CORRUPT, lambda path: m.torch_zip(path, m.tensor(shape=b"J\xff\xff\xff\xff\x85"))),
    Kind(
        "torch: 2⁴⁰ elements out of one",
        LIMIT,
        lambda path: m.torch_zip(path, m.tensor(shape=m.integer(1 << 40) + b"\x85", strides=b"K\x00\x85")),
    ),
    Kind("torch: storage larger than its member", CUT, lambda path: m.torch_zip(path, m.tensor(elements=1 << 40))),
    Kind("torch: storage named ../../../etc/passwd", CORRUPT, _absent_storage),
    Kind("torch: 2,000 views of one storage", LIMIT, lambda path: m.many_views(path, 1 << 18, 2000)),
    Kind("zip: bomb", LIMIT, lambda path: m.zipped(path, [("a.npy", bytes(80 << 20))], zipfile.ZIP_DEFLATED)),
    Kind("zip: one name twice", CORRUPT, lambda path: m.zipped(path, [("a.npy", b"x"), ("a.npy", b"y")])),
    Kind("zip: another name where the member lies", CORRUPT, _renamed),
    Kind("zip: names out of the archive", UNSUPPORTED, lambda path: m.zipped(path, [("../x", b"1"), ("/etc/x", b"2")])),
    Kind("zip: directory of 4 GiB", LIMIT, _huge_directory),
    Kind("zip: 500,000 members", LIMIT, _crowded_directory),
    Kind("zip: encrypted", UNSUPPORTED, _encrypted),
    Kind("zip: without its end", CUT, lambda path: path.write_bytes(b"PK\x03\x04" + bytes(200))),
    Kind(
        "tar: links and devices under torch's names",
        UNSUPPORTED,
        lambda path: m.tar_of(
            path,
            ("storages", tarfile.SYMTYPE, b"00000000000\0", "/etc/passwd"),
            ("tensors", tarfile.LNKTYPE, b"00000000000\0", "../x"),
            ("pickle", tarfile.CHRTYPE, b"00000000000\0", ""),
        ),
    ),
    Kind(
        "tar: name of 8 GiB",
        UNSUPPORTED,
        lambda path: m.tar_of(path, ("x", tarfile.GNUTYPE_LONGNAME, b"77777777777\0", "")),
    ),
    Kind("tar: negative size", CORRUPT, lambda path: m.tar_of(path, ("x", tarfile.REGTYPE, b"\xff" * 12, ""))),
    Kind("tar: member beyond the end", CUT, lambda path: m.tar_of(path, ("pickle", b"0", b"77777777777\0", ""))),
)

NUMPY = (
    Kind("npy: array of objects", UNSAFE, lambda path: path.write_bytes(m.objects())),
    Kind("npy: shape larger than the file", CUT, lambda path: m.npy(path, shape="(99999999999999999999,)")),
    Kind("npy: negative shape", CORRUPT, lambda path: m.npy(path, shape="(-4,)")),
    Kind("npy: 5,000 brackets", CORRUPT, lambda path: m.npy(path, shape="(" * 5000)),
    Kind("npy: header that calls", CORRUPT, lambda path: m.npy(path, shape="(__import__('os').getpid(),)")),
    Kind("npy: records for numbers", UNSAFE, lambda path: m.npy(path, descr="[('a', '<f4')]")),
)


def _external_link(path: Path) -> None:
    m.hdf5(path.with_name("secret.h5"), lambda h5py, file: file.create_dataset("g/w", data=[1.0, 2.0]))
    m.hdf5(path, lambda h5py, file: file.__setitem__("model_weights", h5py.ExternalLink("secret.h5", "/g")))


def _external_dataset(path: Path) -> None:
    path.with_name("secret").write_bytes(bytes(64))
    m.hdf5(path, lambda h5py, file: file.create_dataset("w", (4,), "f4", external=[("secret", 0, 16)]))


def _virtual(h5py, file) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "w", (4,))
    file.create_virtual_dataset("w", layout)


def _circle(h5py, file) -> None:
    file["a"] = file["/"]


HDF5 = (
    Kind("hdf5: link into another file", NONE, _external_link),
    Kind(
        "hdf5: link to nothing",
        NONE,
        lambda path: m.hdf5(path, lambda h5py, file: file.__setitem__("model_weights", h5py.SoftLink("/gone"))),
    ),
    Kind("hdf5: values in another file", UNSUPPORTED, _external_dataset),
    Kind("hdf5: virtual dataset", UNSUPPORTED, lambda path: m.hdf5(path, _virtual)),
    Kind("hdf5: groups in a circle", NONE, lambda path: m.hdf5(path, _circle)),
    Kind(
        "hdf5: 70 groups deep",
        LIMIT,
        lambda path: m.hdf5(path, lambda h5py, file: file.create_dataset("a/" * 70 + "w", data=[1.0])),
    ),
    Kind(
        "hdf5: 4 TiB declared, nothing stored",
        LIMIT,
        lambda path: m.hdf5(path, lambda h5py, file: file.create_dataset("w", (1 << 40,), "f4", chunks=(1024,))),
    ),
    Kind(
        "hdf5: four values in a chunk of 1 GiB",
        LIMIT,
        lambda path: m.hdf5(
            path, lambda h5py, file: file.create_dataset("w", (4,), "f4", chunks=(1 << 28,), maxshape=(None,))
        ),
    ),
    Kind("keras: config that is no JSON", CORRUPT, lambda path: _keras(path, b"{")),
)


def _keras(path: Path, config: bytes) -> None:
    m.hdf5(path, lambda h5py, file: file.create_dataset("w", data=[1.0, 2.0]))
    weights = path.read_bytes()
    m.zipped(path, [("model.weights.h5", weights), ("config.json", config)])


_WORDS = m.gguf_text(b"k") + struct.pack("<IIQ", 9, 8, 10_000_000)
_SHARED = b"".join(m.gguf_tensor(b"w%d" % n, 1 << 18) for n in range(1100))

GGUF = (
    Kind("gguf: 2⁶⁰ tensors", LIMIT, lambda path: m.gguf(path, tensors=1 << 60)),
    Kind("gguf: ten million words", LIMIT, lambda path: m.gguf(path, fields=1, body=_WORDS)),
    Kind("gguf: key of 2⁶² bytes", LIMIT, lambda path: m.gguf(path, fields=1, body=struct.pack("<Q", 1 << 62))),
    Kind(
        "gguf: alignment of 3",
        CORRUPT,
        lambda path: m.gguf(path, fields=1, body=m.gguf_text(b"general.alignment") + struct.pack("<II", 4, 3)),
    ),
    Kind(
        "gguf: 1,100 tensors in one place",
        LIMIT,
        lambda path: m.gguf(path, tensors=1100, body=_SHARED, data=bytes(4 << 18)),
    ),
    Kind(
        "gguf: tensor beyond the end",
        CUT,
        lambda path: m.gguf(path, tensors=1, body=m.gguf_tensor(b"w", 4, 1 << 60), data=bytes(16)),
    ),
    Kind("gguf: axis of 2⁶³", LIMIT, lambda path: m.gguf(path, tensors=1, body=m.gguf_tensor(b"w", 1 << 63))),
)


def _onnx_link(path: Path) -> None:
    m.sound(path.parent.parent / "secret-of-onnx")
    path.with_name("data").symlink_to("../secret-of-onnx")
    m.onnx(path, m.outside(location="data"))


ONNX = (
    Kind("onnx: data in ../..", CORRUPT, lambda path: m.onnx(path, m.outside(location="../../etc/passwd"))),
    Kind("onnx: data in an absolute place", CORRUPT, lambda path: m.onnx(path, m.outside(location="/etc/passwd"))),
    Kind("onnx: data behind a link", CORRUPT, _onnx_link),
    Kind(
        "onnx: data at a negative offset",
        CUT,
        lambda path: m.onnx(path, m.outside(location="x", offset="-8", length="4")),
    ),
    Kind(
        "onnx: 100,000 axes", LIMIT, lambda path: m.onnx(path, m.field(1, (1 << 63) - 1) * 100_000 + m.field(8, b"w"))
    ),
    Kind(
        "onnx: two million fields",
        LIMIT,
        lambda path: path.write_bytes(m.field(1, 8) + m.field(7, b"\x10\x01" * 2_000_000) + m.field(8, b"")),
    ),
    Kind(
        "onnx: values too few",
        CORRUPT,
        lambda path: m.onnx(path, m.field(1, 1 << 40) + m.field(2, 1) + m.field(8, b"w") + m.field(9, b"1234")),
    ),
)


def _linked_shard(path: Path) -> None:
    m.shards(path, "model-1.safetensors")
    (path / "model-1.safetensors").symlink_to("../secret")


def _many_shards(path: Path) -> None:
    places = {f"w{n}": f"model-{n}.safetensors" for n in range(5000)}
    m.folder(path, {"model.safetensors.index.json": {"weight_map": places}})


def _linked_weights(path: Path) -> None:
    m.sound(path.parent / "secret")
    m.folder(path, {"config.json": {}})
    (path / "model.safetensors").symlink_to("../secret")


def _deep_config(path: Path) -> None:
    m.folder(path, {"config.json": b'{"a":' * 100_000 + b"1" + b"}" * 100_000})
    m.sound(path / "model.safetensors")


FOLDERS = (
    Kind("shards: name with ..", CORRUPT, lambda path: m.shards(path, "../secret")),
    Kind("shards: absolute name", CORRUPT, lambda path: m.shards(path, "/etc/passwd")),
    Kind("shards: name of another system", CORRUPT, lambda path: m.shards(path, "C:\\secret")),
    Kind("shards: link out of the folder", CORRUPT, _linked_shard),
    Kind("shards: 5,000 files", LIMIT, _many_shards),
    Kind("shards: a place that is no name", CORRUPT, lambda path: m.shards(path, {"a": 1})),
    Kind("folder: weights behind a link out of it", CORRUPT, _linked_weights),
    Kind("folder: config 100,000 levels deep", CORRUPT, _deep_config),
    Kind("folder: config without weights", NONE, lambda path: m.folder(path, {"config.json": {"auto_map": {}}})),
)


def _sparse(path: Path) -> None:
    header = json.dumps({"w": m.entry(stop=1 << 40, shape=(1 << 38,))}).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + (1 << 40))


def _fifo(path: Path) -> None:
    import os

    os.mkfifo(path)


FILES = (
    Kind("file: empty", "EmptyFileError", lambda path: path.write_bytes(b"")),
    Kind("file: 1 TiB of hole", LIMIT, _sparse),
    Kind("file: pipe", "UnreadableFileError", _fifo),
    Kind("file: link to a device", "UnreadableFileError", lambda path: path.symlink_to("/dev/zero")),
    Kind("file: link in a circle", "DirectoryLoopError", lambda path: path.symlink_to(path.name)),
    Kind("file: web page", UNSUPPORTED, lambda path: path.write_bytes(b"<html><script>alert(1)</script>")),
    Kind("file: compressed", UNSUPPORTED, lambda path: path.write_bytes(b"\x1f\x8b" + bytes(100))),
)

KINDS = (*SAFETENSORS, *PICKLES, *ARCHIVES, *NUMPY, *HDF5, *GGUF, *ONNX, *FOLDERS, *FILES)
