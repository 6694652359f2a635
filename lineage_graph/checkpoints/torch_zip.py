"""torch.save since 1.6, and TorchScript: a zip with ``data.pkl`` and one stored member for each storage."""

from __future__ import annotations

from dataclasses import replace

from lineage_graph.checkpoints.nodes import Storage
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.checkpoints.storages import persistent_storage, storage_bytes
from lineage_graph.checkpoints.tree import Tree
from lineage_graph.checkpoints.unpickle import Machine
from lineage_graph.checkpoints.zips import Archive
from lineage_graph.errors import TruncatedFileError

_PICKLE = "data.pkl"
_SCRIPT = "constants.pkl"


def pickle_member(archive: Archive) -> str | None:
    """The name of the archive's main pickle, at the top or in its one folder; ``None`` in any other zip."""
    names = (name for name in archive.names if name.rsplit("/", 1)[-1] == _PICKLE and name.count("/") <= 1)
    return next(names, None)


def load_zip(archive: Archive, pickle: str) -> Tree:
    """The tree behind ``pickle``. Raises CorruptFileError, TruncatedFileError, LimitExceededError."""
    prefix = pickle.removesuffix(_PICKLE)
    source = archive.member(pickle)
    order = f"{prefix}byteorder"
    swapped = order in archive and archive.member(order).head(8).strip() == b"big"
    found: dict[str, ByteSource] = {}

    def locate(key: str) -> ByteSource:
        if key not in found:
            found[key] = archive.member(f"{prefix}data/{key}")
        return found[key]

    def persistent(ident: object) -> Storage:
        storage = persistent_storage(archive.label, ident, locate)
        if storage_bytes(storage) > storage.source.size:
            raise TruncatedFileError(f"{storage.source.label} has {storage.source.size} bytes, the pickle says more")
        return replace(storage, swapped=swapped)

    machine = Machine(source, persistent)
    root = machine.load()
    script = f"{prefix}{_SCRIPT}" in archive
    mappable = _one_meaning(archive) and not swapped and not script and machine.plain
    return Tree(root, frozenset(machine.met), mappable=mappable, opcodes=machine.opcodes)


def _one_meaning(archive: Archive) -> bool:
    """Whether torch's own loader is bound to find the members that were looked at here: it takes the first member's
    folder for the archive's, and names that differ in case alone for one.
    """
    folders = {name.partition("/")[0] for name in archive.names}
    distinct = len({name.casefold() for name in archive.names}) == len(archive.names)
    return distinct and len(folders) == 1 and all(archive.stored(name) for name in archive.names)
