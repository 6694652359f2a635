"""Just enough of the protocol buffer wire format to find where values lie, without loading them.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from lineage_graph.checkpoints.limits import MAX_FIELDS
from lineage_graph.errors import CorruptFileError, LimitExceededError, TruncatedFileError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_MAX_VARINT = 10


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``value`` of a VARINT; ``start`` and ``size`` of the bytes of any other."""

    number: int
    wire: int
    value: int
    start: int
    size: int


class Message:
    """The fields of one message that lies in ``stream`` from ``start`` to ``stop``.

    ``left``: how many fields may still be looked at, in this message and those inside it; an iterator that they share.
    """

    def __init__(
        self, stream: io.BufferedReader, start: int, stop: int, label: str, left: Iterator[int] | None = None
    ) -> None:
        self._stream, self._start, self._stop, self._label = stream, start, stop, label
        self._left = iter(range(MAX_FIELDS)) if left is None else left

    def __iter__(self) -> Iterator[Field]:
        """Field after field. Raises TruncatedFileError, CorruptFileError, LimitExceededError."""
        position = self._start
        while position < self._stop:
            if next(self._left, None) is None:
                raise LimitExceededError(f"{self._label}: more than {MAX_FIELDS} protobuf fields")
            self._stream.seek(position)
            key = self._varint()
            number, wire = key >> 3, key & 7
            if number == 0:
                raise CorruptFileError(f"{self._label}: a protobuf field without a number at byte {position}")
            value, size = 0, 0
            if wire == VARINT:
                value = self._varint()
            elif wire in (BYTES, FIXED64, FIXED32):
                size = self._varint() if wire == BYTES else 8 if wire == FIXED64 else 4
            else:
                raise CorruptFileError(f"{self._label}: protobuf wire type {wire} at byte {position}")
            start = self._stream.tell()
            position = start + size
            if position > self._stop:
                raise TruncatedFileError(f"{self._label}: a field at byte {start} claims {size} bytes and is cut off")
            yield Field(number, wire, value, start, size)

    def inner(self, field: Field) -> Message:
        """The message inside a BYTES field."""
        return Message(self._stream, field.start, field.start + field.size, self._label, self._left)

    def bytes(self, field: Field) -> bytes:
        """The content of a BYTES field."""
        self._stream.seek(field.start)
        return self._stream.read(field.size)

    def varints(self, field: Field, most: int) -> list[int]:
        """The numbers packed into a BYTES field. Raises CorruptFileError for more than ``most``."""
        numbers: list[int] = []
        self._stream.seek(field.start)
        while self._stream.tell() < field.start + field.size:
            numbers.append(self._varint())
            if len(numbers) > most:
                raise CorruptFileError(f"{self._label}: more than {most} numbers at byte {field.start}")
        return numbers

    def _varint(self) -> int:
        value = 0
        for place in range(_MAX_VARINT):
            byte = self._stream.read(1)
            if not byte:
                raise TruncatedFileError(f"{self._label}: the file ends within a number")
            value |= (byte[0] & 0x7F) << (7 * place)
            if byte[0] < 0x80:
                return value
        raise CorruptFileError(f"{self._label}: a protobuf number is longer than {_MAX_VARINT} bytes")
