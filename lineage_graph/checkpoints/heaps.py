"""The global heaps of an HDF5 file, in which its texts of variable length lie, looked at before the library does.

The library walks from object to object by their sizes, and in circles without end where a size is 0 or wraps round.
Layout: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, section "Global Heap".
"""

from __future__ import annotations

from collections.abc import Iterator

from lineage_graph.checkpoints.source import ByteSource

_SIGNATURE = b"GCOL"
_HEADER = _OBJECT = 16
_BLOCK = 1 << 22
_LARGEST_HEAP = 1 << 26
_LARGEST_FILE = 4 << 30
"""Of a file that is searched for heaps; that takes seconds at most."""


def sound_heaps(source: ByteSource) -> bool:
    """Whether the library can safely walk through every heap of the file. ``False`` where that is not known: for very
    large files, and for files that do not write their lengths in 8 bytes.
    """
    head = source.head(16)
    lengths = head[14] if head[8] < 2 else head[10]
    if lengths != 8 or source.size > _LARGEST_FILE:
        return False
    return all(_sound(source, at) for at in _places(source))


def _places(source: ByteSource) -> Iterator[int]:
    """Wherever a heap may begin."""
    for start in range(0, source.size, _BLOCK):
        block = source.read(start, min(_BLOCK + len(_SIGNATURE) - 1, source.size - start))
        at = block.find(_SIGNATURE)
        while at >= 0:
            yield start + at
            at = block.find(_SIGNATURE, at + 1)


def _sound(source: ByteSource, start: int) -> bool:
    if start + _HEADER > source.size:
        return True  # too short for the library to begin
    size = int.from_bytes(source.read(start + 8, 8), "little")
    if size > min(_LARGEST_HEAP, source.size - start):
        return False
    heap = source.read(start, size)
    at = _HEADER
    while at + _OBJECT <= size:
        number, length = int.from_bytes(heap[at : at + 2], "little"), int.from_bytes(heap[at + 8 : at + 16], "little")
        need = length if number == 0 else _OBJECT + -(-length // 8) * 8
        if not _OBJECT <= need <= size - at:
            return False
        at += need
    return True
