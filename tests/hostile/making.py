"""Pieces that hostile files are put together from."""

import io
import json
import struct
import tarfile
import zipfile

import numpy as np

from checkpoints.hostile import as_zip, text


def safetensors(path, header, buffer=b"", length=None):
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(data) if length is None else length) + data + buffer)


def entry(start=0, stop=4, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


def pickled(path, opcodes):
    path.write_bytes(b"\x80\x04" + opcodes + b".")


def tensor(key="0", elements=3, shape=b"K\x03\x85", strides=b"K\x01\x85"):
    """Opcodes of a torch tensor over a storage of the archive."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + integer(elements) + b"tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00" + shape + strides + b"I00\n}tR"


def integer(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def torch_zip(path, opcodes):
    as_zip(path, b"\x80\x02}" + text("w") + opcodes + b"s.")


def many_views(path, elements, views):
    """A torch file in which many tensors are the whole of one storage."""
    extent = integer(elements) + b"\x85"
    first = tensor(elements=elements, shape=extent)
    rest = b"".join(text(f"w{n}") + b"h\x01" for n in range(views))
    program = b"\x80\x02}(" + text("w") + first + b"q\x01" + rest + b"u."
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        archive.writestr("archive/data/0", bytes(4 * elements))
        archive.writestr("archive/version", "3\n")


def zipped(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)


def patched(path, old, new, last=False):
    """The file with one run of bytes exchanged: the first, or the last."""
    data = path.read_bytes()
    at = data.rfind(old) if last else data.find(old)
    assert at >= 0
    path.write_bytes(data[:at] + new + data[at + len(old) :])


def tar_of(path, *members):
    """A tar of (name, type, size in the header, link)."""
    blocks = b""
    for name, kind, size, link in members:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
        header[124:136] = size
        header[148:156] = b"        "
        header[148:156] = b"%06o\0 " % sum(header)
        blocks += bytes(header)
    path.write_bytes(blocks + bytes(1024))


def npy(path, shape="(4,)", descr="'<f4'", body=bytes(16)):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body)


def hdf5(path, fill):
    import h5py

    with h5py.File(path, "w") as file:
        fill(h5py, file)


def gguf(path, tensors=0, fields=0, body=b"", data=b""):
    header = b"GGUF" + struct.pack("<IQQ", 3, tensors, fields) + body
    path.write_bytes(header + bytes(-len(header) % 32) + data)


def gguf_text(value):
    return struct.pack("<Q", len(value)) + value


def gguf_tensor(name, extent, offset=0):
    return gguf_text(name) + struct.pack("<IQIQ", 1, extent, 0, offset)


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number, data):
    """A protobuf field of bytes, or of a number."""
    if isinstance(data, int):
        return varint(number << 3) + varint(data)
    return varint(number << 3 | 2) + varint(len(data)) + data


def onnx(path, initializer):
    """A model with one initializer, given as the bytes of its fields."""
    path.write_bytes(field(1, 8) + field(7, field(5, initializer)) + field(8, field(2, 17)))


def outside(**facts):
    """An initializer of one float in another file."""
    pairs = b"".join(field(13, field(1, key.encode()) + field(2, value.encode())) for key, value in facts.items())
    return field(1, 1) + field(2, 1) + field(8, b"w") + pairs + field(14, 1)


def folder(path, files):
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def shards(path, place):
    """A folder whose index places one tensor in ``place``; beside the folder lies a sound file, ``secret``."""
    sound(path.parent / "secret")
    folder(path, {"model.safetensors.index.json": {"weight_map": {"w": place}}})


def sound(path):
    safetensors(path, {"w": entry(stop=64, shape=(4, 4))}, np.arange(16, dtype="<f4").tobytes())


def objects():
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def inert_crowd(crowd, items):
    """Many references to one object with many items."""
    body = b"cevil\nEvil\n)\x81(" + _numbers(items) + b"uq\x01"
    return b"](" + body + b"h\x01" * crowd + b"e"


def _numbers(count):
    return b"".join(b"M" + struct.pack("<H", n % 65536) + b"N" for n in range(count))


def crowded_state(entries, items):
    """An optimizer whose state refers to one long list over and over."""
    states = b"".join(b"M" + struct.pack("<H", n) + b"h\x01" for n in range(entries))
    state = b"}(" + states + b"u"
    return b"](" + b"N" * items + b"eq\x010}(" + text("state") + state + text("param_groups") + b"]u"
