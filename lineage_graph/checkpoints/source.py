"""A stretch of a file that is read by position: no mapping, so resident memory does not grow with the file."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lineage_graph.checkpoints.limits import HOLES_FREE_BYTES, MAX_HOLES
from lineage_graph.errors import (
    EmptyFileError,
    LimitExceededError,
    TruncatedFileError,
    UnreadableFileError,
    of_os_error,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Seekable(Protocol):
    """What a :class:`ByteSource` needs of a file."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a position."""

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Fill the buffer, or the start of it, and return how many bytes were read."""


class ByteSource:
    """``size`` bytes from ``start`` on of a file; ``label`` names them in messages.

    ``file`` may be a function that opens the file: then it is called at the first read.
    """

    def __init__(self, file: Seekable | Callable[[], Seekable], start: int, size: int, label: str) -> None:
        self._file = file
        self.start = start
        self.size = size
        self.label = label

    def window(self, offset: int, size: int, what: str, label: str = "") -> ByteSource:
        """A part of this source. Raises TruncatedFileError, which names ``what``, where it reaches beyond the end."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise TruncatedFileError(
                f"{self.label}: {what} needs bytes {offset} to {offset + size}, there are {self.size}"
            )
        return ByteSource(self._file, self.start + offset, size, label or self.label)

    def readinto(self, offset: int, buffer: WriteableBuffer) -> None:
        """Fill ``buffer`` with the bytes from ``offset`` on. Raises TruncatedFileError where they end too early."""
        view = memoryview(buffer).cast("B")
        if offset < 0 or offset + len(view) > self.size:
            raise TruncatedFileError(f"{self.label}: bytes {offset} to {offset + len(view)} are beyond the end")
        file = self._opened()
        file.seek(self.start + offset)
        done = 0
        while done < len(view):
            count = file.readinto(view[done:])
            if not count:
                raise TruncatedFileError(f"{self.label}: the file ends {len(view) - done} bytes too early")
            done += count

    def read(self, offset: int, size: int) -> bytes:
        """``size`` bytes from ``offset`` on. Raises TruncatedFileError before memory is taken for absent bytes."""
        if size < 0 or offset + size > self.size:
            raise TruncatedFileError(f"{self.label}: bytes {offset} to {offset + size} are beyond the end")
        buffer = bytearray(size)
        self.readinto(offset, buffer)
        return bytes(buffer)

    def head(self, size: int) -> bytes:
        """The first ``size`` bytes, or all where there are fewer."""
        return self.read(0, min(size, self.size))

    def stream(self) -> io.BufferedReader:
        """The source as an ordinary buffered file."""
        return io.BufferedReader(_SourceFile(self), 1 << 16)

    def _opened(self) -> Seekable:
        if callable(self._file):
            self._file = self._file()
        return self._file


class _SourceFile(io.RawIOBase):
    """A :class:`ByteSource` behind Python's file interface, for libraries that want one."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise OSError("seek before the start")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._source.size - self._position))
        self._source.readinto(self._position, view[:count])
        self._position += count
        return count


def open_source(path: Path) -> tuple[ByteSource, io.FileIO]:
    """Open a file for reading; the caller closes the second value.

    Raises UnreadableFileError for what is no regular file (a pipe would block) or may not be read, EmptyFileError,
    LimitExceededError for a large file that is nearly all hole.
    """
    try:
        _check_regular(path, path.stat())
        # Without waiting, should a pipe have taken the file's place since.
        file = io.FileIO(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))
    except OSError as error:
        raise of_os_error(path, error) from error
    with ExitStack() as failing:
        failing.callback(file.close)
        status = os.fstat(file.fileno())
        _check_regular(path, status)
        size = file.seek(0, io.SEEK_END)
        if size == 0:
            raise EmptyFileError(f"{path}: the file is empty")
        on_disk = 512 * getattr(status, "st_blocks", size)
        if size > max(HOLES_FREE_BYTES, MAX_HOLES * on_disk):
            raise LimitExceededError(f"{path}: a file of {size} bytes that is nearly all hole ({on_disk} on disk)")
        failing.pop_all()
    return ByteSource(file, 0, size, str(path)), file


def _check_regular(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableFileError(f"{path}: not a regular file")


def memory_source(data: bytes, label: str) -> ByteSource:
    """A source over bytes that are in memory already."""
    return ByteSource(io.BytesIO(data), 0, len(data), label)
