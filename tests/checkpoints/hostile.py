"""Pickles that want to run something, and pickles that want to fill the memory; assembled opcode by opcode."""

import io
import pickle
import struct
import zipfile


def text(value):
    """A short string, protocol 0."""
    return b"V" + value.encode() + b"\n"


def command(marker):
    return f"touch {marker}"


def attacks(marker):
    """Name → the opcodes of one value that, unpickled, would create ``marker``; and the global they ask for."""
    shell = text(command(marker))
    code = text(f"open({str(marker)!r}, 'w').close()")
    evil = b"cevil_module\nEvil\n"
    system = b"cos\nsystem\n(" + shell + b"tR"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n("
    return {
        "reduce": (system, "os.system"),
        "posix": (b"cposix\nsystem\n(" + shell + b"tR", "posix.system"),
        "exec": (b"cbuiltins\nexec\n(" + code + b"tR", "builtins.exec"),
        "eval": (b"c__builtin__\neval\n(" + code + b"tR", "builtins.eval"),
        "instance": (b"(" + shell + b"ios\nsystem\n", "os.system"),
        "object": (b"(cos\nsystem\n" + shell + b"o", "os.system"),
        "new object": (evil + b")\x81", "evil_module.Evil"),
        "new object, names": (evil + b")}\x92", "evil_module.Evil"),
        "stack global": (b"\x8c\x02os\x8c\x06system\x93(" + shell + b"tR", "os.system"),
        "extension": (b"\x82\xf0(" + shell + b"tR", "copyreg.extension_240"),
        "attribute": (
            b"cbuiltins\ngetattr\n(cos\nsystem\n" + text("__call__") + b"tR(" + shell + b"tR",
            "builtins.getattr",
        ),
        "state": (evil + b")\x81}(" + text("a") + shell + b"ub", "evil_module.Evil"),
        "items": (evil + b")\x81(" + text("a") + shell + b"u", "evil_module.Evil"),
        "appends": (evil + b")\x81(" + shell + b"e", "evil_module.Evil"),
        "import": (b"cevil_module\nvalue\n", "evil_module.value"),
        "bytes in torch": (
            b"ctorch.storage\n_load_from_bytes\n(" + pack(b"\x80\x02" + system + b".") + b"tR",
            "os.system",
        ),
        "subclass": (
            b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nctorch\nTensor\n(" + shell + b"tNtR",
            "os.system",
        ),
        "parameter": (b"ctorch._utils\n_rebuild_parameter\n(" + system + b"I01\n}tR", "os.system"),
        "tensor": (tensor + system + b"K\x00K\x01\x85K\x01\x85tR", "os.system"),
        "ordered dict": (b"ccollections\nOrderedDict\n((l" + system + b"atR", "os.system"),
        "numpy": (b"cnumpy.core.multiarray\n_reconstruct\n(" + evil + b"(K\x00tU\x01btR", "evil_module.Evil"),
        "reconstructor": (b"ccopy_reg\n_reconstructor\n(" + evil + b"c__builtin__\nobject\nNtR", "evil_module.Evil"),
        "python's own": (pickle.dumps(Reducing(command(marker)), 2)[2:-1], "posix.system"),
    }


class Reducing:
    def __init__(self, command):
        self.command = command

    def __reduce_ex__(self, protocol):
        import os

        return os.system, (self.command,)


def pack(data):
    """A bytes value."""
    return b"B" + struct.pack("<I", len(data)) + data


def in_dict(value, tensors=b""):
    """A pickled dict that holds the value, and the opcodes of key-value pairs after it."""
    return b"\x80\x04}(" + text("evil") + value + tensors + b"u."


def plain_weights():
    """Opcodes of ``"w": array([1, 2, 3])``."""
    import numpy as np

    return text("w") + pickle.dumps(np.array([1, 2, 3], np.float32), 2)[2:-1]


def torch_weights():
    """Opcodes of ``"w": tensor([1, 2, 3])`` with its storage under the key 0."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"K\x03tQ"
    return text("w") + b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00K\x03\x85K\x01\x85I00\n}tR"


def as_zip(path, pickled):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/data/0", struct.pack("<3f", 1, 2, 3))
        archive.writestr("archive/version", "3\n")


def as_legacy(path, pickled):
    parts = [pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2), pickle.dumps({"little_endian": True}, 2)]
    keys = pickle.dumps([], 2)
    if b"FloatStorage" in pickled:
        keys = pickle.dumps(["0"], 2) + struct.pack("<q3f", 3, 1, 2, 3)
    path.write_bytes(b"".join(parts) + pickled + keys)


def as_agent(path, pickled):
    inner = io.BytesIO()
    as_zip(inner, pickled)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("policy.pth", inner.getvalue())


def as_plain(path, pickled):
    path.write_bytes(pickled)


CONTAINERS = {"zip": as_zip, "legacy": as_legacy, "agent": as_agent, "plain": as_plain}


def bombs():
    """Name → a small pickle that would take gigabytes, minutes or the stack."""
    long_text = b"X" + struct.pack("<I", 1_000_000) + b"x" * 1_000_000
    prime = (1 << 61) - 1
    colliding = b"".join(b"\x8a\x0b" + (n * prime).to_bytes(11, "little") + b"N" for n in range(1, 100_000))
    encoded = b"c_codecs\nencode\n(h\xc8" + text("latin1") + b"tR"
    state = b"}(" + b"".join(text(f"k{n}") + b"N" for n in range(20_000)) + b"u"
    doubled = b"".join(b"}(" + text("a") + b"h\xc8" + text("b") + b"h\xc8uq\xc8" for _ in range(60))
    bodies = {
        "bytearray": b"cbuiltins\nbytearray\n\x8a\x05" + (12 << 30).to_bytes(5, "little") + b"\x85R",
        "memo": b"}r\xff\xff\xff\x7f",
        "text length": b"\x8d" + struct.pack("<Q", 1 << 62),
        "bytes length": b"\x8e" + struct.pack("<Q", 1 << 40),
        "bytearray length": b"\x96" + struct.pack("<Q", 1 << 40),
        "frame": b"\x95" + struct.pack("<Q", 1 << 62) + b"N",
        "number": b"\x8b" + struct.pack("<I", 0x7FFFFFFF),
        "digits": b"I" + b"9" * 2_000_000 + b"\n",
        "copied pairs": b"(l" + b"(K\x01K\x02ta" * 20_000 + b"q\xc8" + b"ccollections\nOrderedDict\n(h\xc8tR" * 20_000,
        "copied text": long_text + b"q\xc8" + encoded * 20_000,
        "copied state": state + b"}\x86q\xc8" + b"ca\nb\n)\x81h\xc8b" * 50_000,
        "nested key": b"})" + b"\x85" * 300_000 + b"K\x01s",
        "nested set": b"\x8f()" + b"\x85" * 300_000 + b"\x90",
        "nested list": b"]" * 200_000 + b"a" * 199_999,
        "nested dict": b"}K\x01" * 100_000 + b"N" + b"s" * 100_000,
        "doubling": b"}q\xc8" + doubled,
        "doubling weights": b"}" + plain_weights() + b"sq\xc8" + doubled,
        "circle": b"}q\xc8(" + text("a") + b"h\xc8" + text("b") + b"h\xc8u",
        "circle with weights": b"}q\xc8(" + text("a") + b"h\xc8" + text("b") + b"h\xc8" + plain_weights() + b"u",
        "long names": long_text + b"q\xc8}q\xc9h\xc8" + plain_weights()[3:] + b"s}h\xc8h\xc9s",
        "opcodes": b"N0" * 1_000_001 + b"N",
        "colliding keys": b"}(" + colliding + b"u",
    }
    return {name: b"\x80\x05" + body + b"." for name, body in bodies.items()}
