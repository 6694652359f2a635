"""Zip archives from strangers: every member is checked against the file before any is unpacked."""

from __future__ import annotations

import struct
import zipfile
from typing import cast

from lineage_graph.checkpoints.limits import (
    INFLATION_FREE_BYTES,
    MAX_HEADER_BYTES,
    MAX_INFLATED_BYTES,
    MAX_INFLATION,
    MAX_TENSORS,
)
from lineage_graph.checkpoints.source import ByteSource, Seekable
from lineage_graph.errors import CorruptFileError, LimitExceededError, TruncatedFileError, UnsupportedFormatError

_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_LONG_END = 56 + 20
_END_REACH = 22 + 0xFFFF + _LONG_END
_LOCAL_HEADER = 30
_ENCRYPTED = 1


class Archive:
    """The members of a zip file, each as a :class:`ByteSource`; deflated ones are unpacked in passing.

    Raises TruncatedFileError without a directory at the end, LimitExceededError for a directory or an unpacked size
    beyond the limits, CorruptFileError for members that overlap or repeat, UnsupportedFormatError for other methods.
    """

    def __init__(self, source: ByteSource) -> None:
        _check_directory(source)
        self.label = source.label
        self._source = source
        self._zip = zipfile.ZipFile(source.stream())
        if min((info.header_offset for info in self._zip.infolist()), default=0) > 0:
            # A cut archive whose last member is an archive itself: its directory is the inner one's.
            raise TruncatedFileError(f"{self.label}: the zip archive ends before its directory")
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        self._infos = {info.filename: info for info in infos}
        if len(self._infos) < len(infos):
            raise CorruptFileError(f"{self.label}: the archive has two members of one name")
        _check_sizes(source, infos)

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names in the directory's order."""
        return tuple(self._infos)

    def __contains__(self, name: str) -> bool:
        return name in self._infos

    def stored(self, name: str) -> bool:
        """Whether the member lies uncompressed in the file."""
        return self._infos[name].compress_type == zipfile.ZIP_STORED

    def member(self, name: str) -> ByteSource:
        """One member's bytes. Raises CorruptFileError where there is none of that name."""
        info = self._infos.get(name)
        if info is None:
            raise CorruptFileError(f"{self.label}: the archive has no member {name[:80]!r}")
        label = f"{self.label}: {name[:80]}"
        if info.compress_type == zipfile.ZIP_STORED:
            start = info.header_offset + _LOCAL_HEADER + self._name_and_extra(info)
            return self._source.window(start, info.file_size, name[:80], label)
        return ByteSource(lambda: cast(Seekable, self._zip.open(info)), 0, info.file_size, label)

    def _name_and_extra(self, info: zipfile.ZipInfo) -> int:
        header = self._source.read(info.header_offset, _LOCAL_HEADER)
        if header[:4] != b"PK\x03\x04":
            raise CorruptFileError(f"{self.label}: member {info.filename[:80]!r} is not where the directory says")
        name, extra = struct.unpack("<HH", header[26:30])
        return int(name + extra)


def _check_directory(source: ByteSource) -> None:
    """Bound the directory before ``zipfile`` reads it whole."""
    reach = min(_END_REACH, source.size)
    tail = source.read(source.size - reach, reach)
    at = tail.rfind(_END)
    if at < 0 or at + 22 > len(tail):
        raise TruncatedFileError(f"{source.label}: the zip archive ends before its directory")
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    long = tail[at - _LONG_END : at] if at >= _LONG_END else b""
    if long.startswith(_END_64):
        size = int.from_bytes(long[40:48], "little")
    if size > MAX_HEADER_BYTES:
        raise LimitExceededError(f"{source.label}: the zip directory claims {size} bytes, more than {MAX_HEADER_BYTES}")


def _check_sizes(source: ByteSource, infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_TENSORS:
        raise LimitExceededError(f"{source.label}: the archive has {len(infos)} members, more than {MAX_TENSORS}")
    inflated = 0
    for info in infos:
        label = f"{source.label}: member {info.filename[:80]!r}"
        if info.flag_bits & _ENCRYPTED or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnsupportedFormatError(f"{label} is encrypted or packed by a method that is not supported")
        if info.compress_type == zipfile.ZIP_STORED:
            if info.file_size != info.compress_size:
                raise CorruptFileError(f"{label} is stored with two different sizes")
            continue
        inflated += info.file_size
        if info.file_size > max(INFLATION_FREE_BYTES, MAX_INFLATION * info.compress_size):
            raise LimitExceededError(f"{label} unpacks {info.compress_size} bytes to {info.file_size}")
    if inflated > MAX_INFLATED_BYTES:
        raise LimitExceededError(f"{source.label}: the archive unpacks to {inflated} bytes")
    if sum(info.compress_size for info in infos) > source.size:
        raise CorruptFileError(f"{source.label}: the archive's members are larger than the archive")
