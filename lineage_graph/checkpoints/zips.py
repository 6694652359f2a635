"""Zip archives from strangers: every member is checked against the file before any is unpacked."""

from __future__ import annotations

import struct
import zipfile
from typing import IO, TYPE_CHECKING

from lineage_graph.checkpoints.limits import (
    INFLATION_FREE_BYTES,
    MAX_HEADER_BYTES,
    MAX_INFLATED_BYTES,
    MAX_INFLATION,
    MAX_MEMBERS,
    MAX_UNPACKING,
    UNPACKING_FREE_BYTES,
)
from lineage_graph.checkpoints.source import ByteSource
from lineage_graph.errors import CorruptFileError, LimitExceededError, TruncatedFileError, UnsupportedFormatError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_END, _END_64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_ENTRY = b"PK\x01\x02"
_LONG_END = 56 + 20
_END_REACH = 22 + 0xFFFF + _LONG_END
_LOCAL_HEADER = 30
_ENCRYPTED = 1
_UTF8 = 0x800
_BLOCK = 1 << 20


class Archive:
    """The members of a zip file, each as a :class:`ByteSource`; deflated ones are unpacked in passing.

    Raises TruncatedFileError without a directory at the end, LimitExceededError for a directory or an unpacked size
    beyond the limits, CorruptFileError for members that overlap, repeat or have two names, UnsupportedFormatError for
    other methods.
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
        inflated = _check_sizes(source, infos)
        self._left = MAX_UNPACKING * inflated + UNPACKING_FREE_BYTES

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
        return ByteSource(_Unpacked(self, info), 0, info.file_size, label)

    def start(self, info: zipfile.ZipInfo) -> IO[bytes]:
        """A compressed member from its beginning."""
        return self._zip.open(info)

    def spend(self, amount: int) -> None:
        """Account for bytes that are unpacked. Raises LimitExceededError where it is done over and over."""
        self._left -= amount
        if self._left < 0:
            raise LimitExceededError(f"{self.label}: its compressed members would have to be unpacked over and over")

    def _name_and_extra(self, info: zipfile.ZipInfo) -> int:
        header = self._source.read(info.header_offset, _LOCAL_HEADER)
        if header[:4] != b"PK\x03\x04":
            raise CorruptFileError(f"{self.label}: member {info.filename[:80]!r} is not where the directory says")
        name, extra = struct.unpack("<HH", header[26:30])
        here = self._source.read(info.header_offset + _LOCAL_HEADER, name)
        if here.decode("utf-8" if info.flag_bits & _UTF8 else "cp437", "replace") != info.orig_filename:
            raise CorruptFileError(f"{self.label}: member {info.filename[:80]!r} has another name where it lies")
        return int(name + extra)


class _Unpacked:
    """A compressed member, read at any position: forwards by unpacking on, backwards by starting anew."""

    def __init__(self, archive: Archive, info: zipfile.ZipInfo) -> None:
        self._archive, self._info = archive, info
        self._stream: IO[bytes] | None = None
        self._position = 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to ``offset`` from the start. Raises LimitExceededError, and what ``zipfile`` raises."""
        if self._stream is None or offset < self._position:
            self._stream, self._position = self._archive.start(self._info), 0
        while self._position < offset:
            passed = len(self._stream.read(min(_BLOCK, offset - self._position)))
            self._archive.spend(passed)
            self._position += passed
            if not passed:
                break
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the start of ``buffer``. Raises as :meth:`seek`."""
        view = memoryview(buffer).cast("B")
        data = b"" if self._stream is None else self._stream.read(min(_BLOCK, len(view)))
        view[: len(data)] = data
        self._archive.spend(len(data))
        self._position += len(data)
        return len(data)


def _check_directory(source: ByteSource) -> None:
    """Bound the directory before ``zipfile`` reads it whole."""
    reach = min(_END_REACH, source.size)
    tail = source.read(source.size - reach, reach)
    at = tail.rfind(_END)
    if at < 0 or at + 22 > len(tail):
        raise TruncatedFileError(f"{source.label}: the zip archive ends before its directory")
    size, end = int.from_bytes(tail[at + 12 : at + 16], "little"), source.size - reach + at
    long = tail[at - _LONG_END : at] if at >= _LONG_END else b""
    if long.startswith(_END_64) and long[56:].startswith(_LOCATOR):
        size, end = int.from_bytes(long[40:48], "little"), end - _LONG_END
    if size > MAX_HEADER_BYTES:
        raise LimitExceededError(f"{source.label}: the zip directory claims {size} bytes, more than {MAX_HEADER_BYTES}")
    members = source.read(end - size, size).count(_ENTRY) if size <= end else 0
    if members > MAX_MEMBERS:
        raise LimitExceededError(f"{source.label}: the archive has {members} members, more than {MAX_MEMBERS}")


def _check_sizes(source: ByteSource, infos: list[zipfile.ZipInfo]) -> int:
    """How many bytes the compressed members unpack to. Raises as :class:`Archive`."""
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
    return inflated
