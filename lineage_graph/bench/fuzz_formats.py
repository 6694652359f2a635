"""Where the fields of a format lie, so that a mutation can change what the reader trusts and leave the rest sound."""

from __future__ import annotations

import json
import pickletools
import random
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any

NUMBERS = (0, 1, 2, 7, 63, 64, 127, 128, 255, 4096, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1)
"""Values at which counts, lengths and offsets go wrong."""

WORDS = (
    *("", "..", "../../x", "/etc/passwd", "C:\\x", "a\0b", "a\x1b[2J", "\u202e", "x" * 5000, "w", "conv.weight"),
    *("F32", "F64", "BF16", "I64", "F8_E4M3", "F4", "<f4", ">f8", "|O", "|V9999", "<f4,<f4", "posix", "os.system"),
)
"""Names, types and paths from where things go wrong."""

Mutation = Callable[[bytes, random.Random], bytes]


def overwrite(data: bytes, at: int, width: int, rng: random.Random) -> bytes:
    """A number of ``width`` bytes at ``at`` changed: to a boundary, by a little, or by one bit."""
    old = int.from_bytes(data[at : at + width], "little")
    new = rng.choice((rng.choice(NUMBERS), old + rng.choice((-1, 1, 8, -8)), old ^ (1 << rng.randrange(8 * width))))
    return data[:at] + (new % (1 << (8 * width))).to_bytes(width, "little") + data[at + width :]


def safetensors(data: bytes, rng: random.Random) -> bytes:
    """The header's length, or an entry of the header."""
    length = int.from_bytes(data[:8], "little")
    if rng.random() < 0.15:
        return overwrite(data, 0, 8, rng)
    header = json_text(data[8 : 8 + length], rng)
    if rng.random() < 0.1:
        return data[:8] + header + data[8 + length :]
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def json_text(data: bytes, rng: random.Random) -> bytes:
    """One value of a JSON text replaced, dropped, doubled, renamed or wrapped."""
    value = json.loads(data)
    if rng.random() < 0.1:
        text = data.decode()
        key = '"conv.bias"'
        return text.replace("{", "{" + f"{key}:1,{key}:1,", 1).encode()
    places = list(_places(value))
    if not places:
        return data
    holder, key = rng.choice(places)
    choice = rng.randrange(6)
    if choice == 0 and isinstance(holder, dict):
        holder[rng.choice(WORDS)] = holder.pop(key)
    elif choice == 1:
        holder[key] = rng.choice(WORDS)
    elif choice == 2:
        holder[key] = rng.choice((*NUMBERS, -1, 1.5, 10**400, True, None))
    elif choice == 3:
        holder[key] = rng.choice(([], {}, [[[]]], [2**40] * 70, {"a": {"a": {}}}, [[]] * 100))
    elif choice == 4:
        del holder[key]
    else:
        other, name = rng.choice(places)
        if key in holder if isinstance(holder, dict) else True:
            other[name] = json.loads(json.dumps(holder[key]))
    return json.dumps(value, ensure_ascii=rng.random() < 0.9).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


_OPCODES = (
    *(b"cos\nsystem\n(Vtouch canary\ntR", b"(Vtouch canary\nios\nsystem\n", b"(cos\nsystem\nVtouch canary\no"),
    *(b"\x8c\x02os\x8c\x06system\x93", b"\x82\x01", b"\x83\x01\x00", b"\x84\x01\x00\x00\x00", b"Pkey\n", b"N0", b"2"),
    *(b"Q", b"R", b"b", b"}", b"]", b")", b"(", b"t", b"u", b"s", b"a", b"e", b"\x81", b"\x92", b"\x8f", b"\x90"),
    *(b"\x91", b"\x94", b"\x85", b"\x86", b"\x87", b"0", b"1", b"d", b"l", b"o", b"\x97", b"\x98", b"h\x00", b"q\x00"),
    *(b"\x95" + b"\xff" * 8, b"\x8d" + b"\xff" * 7 + b"\x7f", b"\x96" + b"\0" * 7 + b"\x01", b"\x8b\xff\xff\xff\x7f"),
    *(b"j\xff\xff\xff\xff", b"r\xff\xff\xff\x7f", b"I99999999999999999999\n", b"F1e999\n", b"\x88", b"K\xff", b"."),
    *(b"cbuiltins\nbytearray\n\x8a\x05\0\0\0\0\x0f\x85R", b"ccollections\nOrderedDict\n)R", b"cbuiltins\neval\n"),
    *(b"cnumpy.core.multiarray\n_reconstruct\n", b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch.storage\n"),
)
"""Instructions of every family: calls, extensions, references, containers, memo, frames, long literals."""


def pickled(data: bytes, rng: random.Random) -> bytes:
    """An instruction put in, left out, doubled, exchanged or given another argument."""
    try:
        places = [at for _, _, at in pickletools.genops(data) if at is not None]
    except ValueError:
        places = []
    places = [*places, len(data)] if places else [0, len(data)]
    number = rng.randrange(len(places) - 1)
    start, stop = places[number], places[number + 1]
    choice = rng.randrange(5)
    if choice == 0:
        return data[:start] + rng.choice(_OPCODES) + data[start:]
    if choice == 1:
        return data[:start] + data[stop:]
    if choice == 2:
        return data[:start] + data[start:stop] * rng.choice((2, 3, 50)) + data[stop:]
    if choice == 3 and stop - start > 1:
        width = min(stop - start - 1, rng.choice((1, 2, 4, 8)))
        return overwrite(data, start + 1, width, rng)
    other = rng.randrange(len(places) - 1)
    return data[:start] + data[places[other] : places[other + 1]] + data[stop:]


def npy(data: bytes, rng: random.Random) -> bytes:
    """The version, the header's length, or a word of the header."""
    if rng.random() < 0.3:
        return overwrite(data, rng.choice((6, 7, 8, 9)), rng.choice((1, 2)), rng)
    length = int.from_bytes(data[8:10], "little")
    header = data[10 : 10 + length]
    words = [b"'<f4'", b"False", b"(4, 3, 3, 3)", b"'descr'", b"'shape'", b"{", b"}"]
    new = [b"True", b"(-1,)", b"(9" + b"9" * 30 + b",)", b"'|O'", b"('<f4', (1000,))", b"[('a', '<f4')]", b"(" * 200]
    header = header.replace(
        rng.choice(words), rng.choice((*new, b"'>f8'", b"'|V2'", b"-" * 3000, b"()", b"(0, 2**70)"))
    )
    return data[:8] + (len(header) % 65536).to_bytes(2, "little") + header + data[10 + length :]


def protobuf(data: bytes, rng: random.Random) -> bytes:
    """A field's number, kind or length, or a field doubled, dropped or exchanged; at any depth."""
    fields = list(_protobuf_fields(data, 0, len(data), 0))
    if not fields:
        return data
    key, start, stop = rng.choice(fields)
    choice = rng.randrange(5)
    if choice == 0:
        return data[:key] + bytes([rng.randrange(256)]) + data[key + 1 :]
    if choice == 1 and start > key + 1:
        return overwrite(data, key + 1, min(start - key - 1, 8) or 1, rng)
    if choice == 2:
        return data[:key] + data[key:stop] * rng.choice((2, 9)) + data[stop:]
    if choice == 3:
        return data[:key] + data[stop:]
    return overwrite(data, start, min(8, max(1, stop - start)), rng)


def _protobuf_fields(data: bytes, start: int, stop: int, depth: int) -> Iterator[tuple[int, int, int]]:
    """(where the key is, where the content is, where it ends) of each field that parses."""
    at = start
    while at < stop:
        key = at
        tag, at = _varint(data, at)
        size = {1: 8, 5: 4}.get(tag & 7, 0)
        if tag & 7 == 0:
            inner = at
            _, at = _varint(data, at)
            yield key, inner, at
            continue
        if tag & 7 == 2:
            size, at = _varint(data, at)
        if tag & 7 not in (1, 2, 5) or tag < 8 or at + size > stop:
            return
        yield key, at, at + size
        if tag & 7 == 2 and depth < 4:
            yield from _protobuf_fields(data, at, at + size, depth + 1)
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            break
    return value, at


def gguf(data: bytes, rng: random.Random) -> bytes:
    """A count, or a number beside a name: a length, a type, a rank, an extent, an offset."""
    names = [b"general.architecture", b"tokenizer.ggml.tokens", b"some.numbers", b"conv.weight", b"fc.scale", b"packed"]
    at = data.find(rng.choice(names))
    if rng.random() < 0.3 or at < 8:
        return overwrite(data, rng.choice((4, 8, 16)), rng.choice((4, 8)), rng)
    after = at + data[at:].find(b"\0") if rng.random() < 0.7 else at - 8
    width = rng.choice((1, 4, 8))
    return overwrite(data, max(0, min(len(data) - width, after + rng.choice((0, 0, 4, 8, 12, 20, 28, 36)))), width, rng)


_HDF5 = (b"\x89HDF", b"TREE", b"SNOD", b"HEAP", b"GCOL", b"OHDR", b"FRHP", b"BTHD", b"FADB", b"conv.weight", b"model_")


def hdf5(data: bytes, rng: random.Random) -> bytes:
    """A number near one of the signatures of HDF5's structures, or an address of the file exchanged for another."""
    addresses = [at for at in range(0, len(data) - 8, 8) if 0 < int.from_bytes(data[at : at + 8], "little") < len(data)]
    if rng.random() < 0.4 and addresses:
        at, other = rng.choice(addresses), rng.choice(addresses)
        return data[:at] + data[other : other + 8] + data[at + 8 :]
    if rng.random() < 0.4 and addresses:
        return overwrite(data, rng.choice(addresses), rng.choice((1, 2, 4, 8)), rng)
    at = data.find(rng.choice(_HDF5), rng.randrange(len(data)) if rng.random() < 0.5 else 0)
    at = max(0, at) + rng.randrange(64)
    return overwrite(data, min(at, len(data) - 8), rng.choice((1, 2, 4, 8)), rng)


def tar(data: bytes, rng: random.Random) -> bytes:
    """A member's name, size, type or link, with a checksum that is right; or the content of a member."""
    starts = [at for at in range(0, len(data), 512) if data[at + 257 : at + 262] == b"ustar"]
    start = rng.choice(starts)
    if rng.random() < 0.4:
        size = min(len(data), int(data[start + 124 : start + 135] or b"0", 8))
        inner = pickled(data[start + 512 : start + 512 + size], rng)[:size].ljust(size, b"\0")
        return data[: start + 512] + inner + data[start + 512 + size :]
    header = bytearray(data[start : start + 512])
    field = rng.choice(((0, 100), (124, 12), (156, 1), (157, 100)))
    values = {0: (b"../x", b"/x", b"pickle", b"storages"), 124: (b"77777777777", b"\xff" * 12, b"\x80" + b"\0" * 11)}
    value = rng.choice(values.get(field[0], (b"1", b"2", b"3", b"6", b"L", b"x", b"g", b"S", b"/etc/passwd")))
    header[field[0] : field[0] + field[1]] = value[: field[1]].ljust(field[1], b"\0")
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % (sum(header) & 0o777777)
    return data[:start] + bytes(header) + data[start + 512 :]


def zipped(inner: Mapping[str, Mutation]) -> Mutation:
    """A zip's own records, its members' names, or the content of a member by the mutation that fits its name."""

    def mutate(data: bytes, rng: random.Random) -> bytes:
        if rng.random() < 0.35:
            signature = rng.choice((b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"))
            places = [at for at in range(len(data) - 22) if data[at : at + 4] == signature]
            at = rng.choice(places) + rng.choice((6, 8, 10, 14, 16, 18, 20, 22, 24, 26, 28, 30, 42))
            return overwrite(data, min(at, len(data) - 4), rng.choice((2, 4)), rng)
        return _rezipped(data, inner, rng)

    return mutate


def _rezipped(data: bytes, inner: Mapping[str, Mutation], rng: random.Random) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        members = [(info.filename, info.compress_type, old.read(info)) for info in old.infolist()]
        number, choice = rng.randrange(len(members)), rng.randrange(6)
        name, method, content = members[number]
        fitting = next((mutate for ending, mutate in inner.items() if name.endswith(ending)), None)
        if choice == 0:
            members[number] = (rng.choice([*WORDS[1:7], name.upper(), members[0][0]]), method, content)
        elif choice == 1:
            members.append(members[number])
        elif choice == 2:
            del members[number]
        elif choice == 3 and rng.random() < 0.3:
            members[number] = (name, zipfile.ZIP_DEFLATED, content + b"\0" * (1 << 22))
        elif fitting is not None:
            members[number] = (name, method, fitting(content, rng))
        else:
            members[number] = (name, method, content[: rng.randrange(len(content) + 1)])
        for name, method, content in members:
            new.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def legacy(data: bytes, rng: random.Random) -> bytes:
    """One of the pickles in a row, or a storage's count."""
    starts = [0]
    stream = BytesIO(data)
    while len(starts) < 6 and stream.tell() < len(data):
        try:
            list(pickletools.genops(stream))
        except (ValueError, struct.error):
            break
        starts.append(stream.tell())
    number = rng.randrange(len(starts))
    start, stop = starts[number], starts[number + 1] if number + 1 < len(starts) else len(data)
    if number + 1 == len(starts):
        return overwrite(data, min(start, len(data) - 8), 8, rng)
    return data[:start] + pickled(data[start:stop], rng) + data[stop:]
