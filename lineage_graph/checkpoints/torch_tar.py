"""The first torch.save format (2016): a tar with ``storages``, ``tensors`` and ``pickle``, as torch reads it.

``storages``: a pickled count; for each a pickled (key, device, type), the number of elements (8 bytes), the elements;
then a pickled list of views (key, root's key, offset, elements). ``tensors``: a pickled count; for each a pickled (key,
storage's key, type), the rank (4 bytes and 4 of padding), sizes, strides and the offset (8 bytes each).
"""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Iterator

from lineage_graph.checkpoints.limits import MAX_RANK, MAX_TENSORS
from lineage_graph.checkpoints.nodes import Storage
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.storages import storage_bytes, storage_dtype
from lineage_graph.checkpoints.stored import StoredTensor
from lineage_graph.checkpoints.tree import Tree
from lineage_graph.checkpoints.unpickle import Machine
from lineage_graph.errors import CorruptFileError, LimitExceededError, TruncatedFileError, UnsupportedFormatError

_PARTS = ("storages", "tensors", "pickle")
_MOST_MEMBERS = 1000


def load_tar(source: ByteSource) -> Tree:
    """The tree of a tar that torch wrote. Raises UnsupportedFormatError for any other tar, CorruptFileError."""
    parts = _members(source)
    storages = _storages(parts["storages"])
    tensors = _tensors(parts["tensors"], storages)

    def persistent(ident: object) -> object:
        """A tensor or storage by its key; of a tuple (a class and its source code) the class."""
        if isinstance(ident, tuple) and ident:
            return ident[0]
        key = _key(ident, source.label)
        return tensors[key] if key in tensors else _known(storages, key, source.label)

    machine = Machine(parts["pickle"], persistent)
    return Tree(machine.load(), frozenset(machine.met))


def _members(source: ByteSource) -> dict[str, ByteSource]:
    """The three parts. Header by header: ``tarfile`` as a whole reads names and tables of any size into memory."""
    parts = {}
    for info, offset in _headers(source):
        if info.name in _PARTS and info.type in (tarfile.REGTYPE, tarfile.AREGTYPE):
            parts[info.name] = source.window(offset, info.size, info.name, f"{source.label}: {info.name}")
    missing = [name for name in _PARTS if name not in parts]
    if missing:
        raise UnsupportedFormatError(f"{source.label}: a tar archive without {missing[0]!r}, so none that torch wrote")
    return parts


def _headers(source: ByteSource) -> Iterator[tuple[tarfile.TarInfo, int]]:
    """Each member's header and where its content starts. Links and devices are headers like others, and not followed.

    Raises CorruptFileError, LimitExceededError.
    """
    offset = 0
    for _ in range(_MOST_MEMBERS):
        header = source.read(offset, min(tarfile.BLOCKSIZE, source.size - offset))
        if len(header) < tarfile.BLOCKSIZE or header.count(0) == tarfile.BLOCKSIZE:
            return
        try:
            info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise CorruptFileError(f"{source.label}: the tar archive is damaged ({error})") from error
        offset += tarfile.BLOCKSIZE
        if info.size < 0:
            raise CorruptFileError(f"{source.label}: the tar archive has a member of {info.size} bytes")
        yield info, offset
        offset = min(source.size, offset + -(-info.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE)
    raise LimitExceededError(f"{source.label}: the tar archive has more than {_MOST_MEMBERS} members")


def _storages(part: ByteSource) -> dict[str, Storage]:
    found: dict[str, Storage] = {}
    machine = Machine(part, _no_reference)
    for _ in range(_count(machine.load(), part.label)):
        key, _, kind = _parts(machine.load(), 3, part.label)
        (elements,) = _numbers(machine.stream, 1, part.label)
        storage = Storage(_key(key, part.label), part, storage_dtype(part.label, kind), elements)
        storage.source = part.window(machine.stream.tell(), storage_bytes(storage), f"storage {storage.key[:80]}")
        machine.stream.seek(storage.source.size, io.SEEK_CUR)
        found[storage.key] = storage
    views = machine.load()
    for view in views if isinstance(views, list) else ():
        target, root, offset, size = _parts(view, 4, part.label)
        storage = _known(found, _key(root, part.label), part.label)
        if type(offset) is not int or type(size) is not int or not 0 <= offset <= storage.elements - size:
            raise CorruptFileError(f"{part.label}: a view reaches beyond its storage")
        key = _key(target, part.label)
        found[key] = Storage(key, storage.source, storage.dtype, storage.elements, storage.offset + offset)
    return found


def _tensors(part: ByteSource, storages: dict[str, Storage]) -> dict[str, StoredTensor]:
    found = {}
    machine = Machine(part, _no_reference)
    for _ in range(_count(machine.load(), part.label)):
        key, owner, _ = _parts(machine.load(), 3, part.label)
        storage = _known(storages, _key(owner, part.label), part.label)
        (rank,) = _numbers(machine.stream, 1, part.label)
        rank &= 0xFFFFFFFF
        if rank > MAX_RANK:
            raise LimitExceededError(f"{part.label}: a tensor has {rank} dimensions, more than {MAX_RANK}")
        shape, strides = _numbers(machine.stream, rank, part.label), _numbers(machine.stream, rank, part.label)
        offset = _numbers(machine.stream, 1, part.label)[0] + storage.offset
        found[_key(key, part.label)] = StoredTensor.checked(
            storage.source, storage.dtype, shape, storage.elements, offset=offset, strides=strides
        )
    return found


def _numbers(stream: io.BufferedReader, count: int, label: str) -> tuple[int, ...]:
    data = stream.read(8 * count)
    if len(data) < 8 * count:
        raise TruncatedFileError(f"{label}: ends within a tensor's description")
    return struct.unpack(f"<{count}q", data)


def _count(value: object, label: str) -> int:
    if type(value) is not int or not 0 <= value <= MAX_TENSORS:
        raise CorruptFileError(f"{label}: impossible number of entries")
    return value


def _parts(value: object, count: int, label: str) -> tuple[object, ...]:
    if not isinstance(value, tuple) or len(value) != count:
        raise CorruptFileError(f"{label}: an entry is no tuple of {count}")
    return value


def _key(value: object, label: str) -> str:
    if not isinstance(value, str | int):
        raise CorruptFileError(f"{label}: a key is no number")
    return str(value)


def _known(storages: dict[str, Storage], key: str, label: str) -> Storage:
    if key not in storages:
        raise CorruptFileError(f"{label}: storage {key[:80]} is not there")
    return storages[key]


def _no_reference(ident: object) -> object:
    raise CorruptFileError("a tar part refers to objects outside itself")
