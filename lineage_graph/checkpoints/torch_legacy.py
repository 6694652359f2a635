"""Pickles in a row: torch.save before 1.6 (five of them, then the storages), or any single pickle.

Layout, as torch.serialization writes it: magic number, protocol, system information, the object, the storages' keys;
then for each key the number of its elements (8 bytes) and their raw bytes.
"""

from __future__ import annotations

from lineage_graph.checkpoints.nodes import Storage
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.storages import persistent_storage, storage_bytes
from lineage_graph.checkpoints.tree import Tree
from lineage_graph.checkpoints.unpickle import Machine
from lineage_graph.errors import CorruptFileError, UnsafePickleError

_MAGIC = 0x1950A86A20F9469CFC6C
_SPELLINGS = (_MAGIC.to_bytes(10, "little"), str(_MAGIC).encode())


def load_pickles(source: ByteSource, nested: bool = False) -> Tree:
    """The tree of a legacy torch file or of a single pickle; ``nested``: it lies inside another pickle.

    Raises TruncatedFileError, CorruptFileError, LimitExceededError.
    """
    if is_legacy(source):
        return _LegacyFile(source, nested).load()
    machine = Machine(source, _refuse, nested)
    root = machine.load()
    torch = any(name.startswith("torch.") for name in machine.met)
    return Tree(root, frozenset(machine.met), format="pytorch" if torch else "pickle", opcodes=machine.opcodes)


def is_legacy(source: ByteSource) -> bool:
    """Whether the first pickle is the magic number of torch."""
    return any(spelling in source.head(64) for spelling in _SPELLINGS)


def _refuse(ident: object) -> object:
    raise UnsafePickleError("the pickle refers to objects outside itself, and is no torch file")


class _LegacyFile:
    """One legacy torch file; its storages are located after the pickle that refers to them."""

    def __init__(self, source: ByteSource, nested: bool) -> None:
        self._source, self._nested = source, nested
        self._storages: dict[str, Storage] = {}
        self._swapped = False

    def load(self) -> Tree:
        machine = Machine(self._source, self._persistent, self._nested)
        if machine.load() != _MAGIC:
            raise CorruptFileError(f"{self._source.label}: the magic number of torch files is damaged")
        machine.load()
        information = machine.load()
        self._swapped = isinstance(information, dict) and information.get("little_endian") is False
        root, keys = machine.load(), machine.load()
        self._locate(keys, machine.stream.tell())
        return Tree(root, frozenset(machine.met), opcodes=machine.opcodes)

    def _persistent(self, ident: object) -> object:
        """A storage whose place is still open, or, for ``("module", class, …)``, the class."""
        if isinstance(ident, tuple) and len(ident) > 1 and ident[0] == "module":
            return ident[1]
        storage = persistent_storage(self._source.label, ident, self._place)
        storage.swapped = self._swapped
        self._storages.setdefault(storage.key, storage)
        return storage

    def _place(self, key: str) -> ByteSource:
        known = self._storages.get(key)
        return self._source.window(0, 0, key) if known is None else known.source

    def _locate(self, keys: object, position: int) -> None:
        label = self._source.label
        listed = [str(key) for key in keys if isinstance(key, str | int)] if isinstance(keys, list) else []
        if sorted(listed) != sorted(self._storages):
            raise CorruptFileError(f"{label}: the list of storages is not that of the pickle")
        for storage in (self._storages[key] for key in listed):
            count = int.from_bytes(self._source.read(position, 8), "big" if self._swapped else "little")
            if count != storage.elements:
                raise CorruptFileError(
                    f"{label}: storage {storage.key[:80]} has {count} elements, not {storage.elements}"
                )
            found = self._source.window(position + 8, storage_bytes(storage), f"storage {storage.key[:80]}")
            storage.source.start, storage.source.size = found.start, found.size
            position += 8 + found.size
